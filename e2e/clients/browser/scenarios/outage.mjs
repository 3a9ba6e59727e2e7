// The server goes and comes back; nobody reloads anything.
import { patience } from '../chromium.mjs';

export default async function play({ ask, stage, step }) {
  const anna = await stage.enter('Anna');
  const olga = await stage.enter('Olga', '/owner');
  const everyone = [anna, olga];
  for (const who of everyone) {
    who.expectOutage();
  }
  for (const way of ['stop', 'kill']) {
    step(`${way}: the connection says so`);
    await ask(way);
    await Promise.all(everyone.map((who) => who.expectConnection('reconnecting')));

    step(`${way}: everything heals by itself`);
    const title = await ask('start and add a book');
    await Promise.all(everyone.map((who) => who.expectConnection('live')));
    await Promise.all(everyone.map((who) => who.sees(title, patience)));
  }

  step('it is live again, not only caught up');
  await olga.addBook({ title: 'After the storm', author: 'George Sand' });
  await anna.sees('After the storm');
  await stage.expectCalm();
}
