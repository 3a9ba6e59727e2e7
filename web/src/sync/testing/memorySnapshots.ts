import type { KeptSnapshot, SnapshotStore } from '../snapshotStore';

/** Keeps the last one, for tests that are not about the browser's database. */
export class MemorySnapshots implements SnapshotStore {
  kept: KeptSnapshot | null = null;

  load(): Promise<KeptSnapshot | null> {
    return Promise.resolve(this.kept);
  }

  save(snapshot: KeptSnapshot): Promise<boolean> {
    this.kept = snapshot;
    return Promise.resolve(true);
  }
}
