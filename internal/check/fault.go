// Package check looks for what is wrong with a data directory, its surroundings and the
// settings, and says of each fault what it does and what mends it.
package check

// Fault is one thing that is wrong.
type Fault struct {
	Name    string `json:"name"`    // stable, for scripts
	Problem string `json:"problem"` // what was found
	Effect  string `json:"effect"`
	Fix     string `json:"fix"`
	// Repair tells what --repair has done about it; "" if nothing.
	Repair string `json:"repair,omitempty"`
}

// The names of faults.
const (
	ConfigurationInvalid    = "configuration-invalid"
	ConfigurationContradict = "configuration-contradictory"
	DirectoryUnwritable     = "directory-unwritable"
	DiskFull                = "disk-full"
	PermissionsOpen         = "permissions-open"
	LogMissing              = "log-missing"
	LogUnreadable           = "log-unreadable"
	LogDamaged              = "log-damaged"
	LogLostEnd              = "log-lost-end"
	WALDamaged              = "wal-damaged"
	FavoriteWithoutBook     = "favorite-without-book"
	MirrorForeign           = "books-json-foreign"
	MirrorDiffers           = "books-json-differs"
	MirrorNoteDamaged       = "books-json-note-damaged"
	ClockBehind             = "clock-behind"
	CertificateInvalid      = "certificate-invalid"
	CertificateExpired      = "certificate-expired"
	BackupFailing           = "backup-failing"
	BackupDamaged           = "backup-damaged"
	LogMoved                = "log-moved"
	ClusterUnreachable      = "cluster-unreachable"
	ClusterNoQuorum         = "cluster-no-quorum"
	ClusterReplicas         = "cluster-replicas"
	ClusterSync             = "cluster-sync"
	ClusterClock            = "cluster-clock"
	ClusterSettings         = "cluster-settings"
)

// New makes a fault of a name with what was found; effect and fix are the name's.
func New(name, problem string) Fault {
	known := explanations()[name]
	return Fault{Name: name, Problem: problem, Effect: known.effect, Fix: known.fix}
}

type explanation struct{ effect, fix string }

// explanations says what each fault does, and what mends it.
func explanations() map[string]explanation {
	const restore = "`shelfcast backup list` and `shelfcast backup restore NAME`; books.json itself can be restored too: " +
		"`shelfcast backup restore DATA/books.json`"
	return map[string]explanation{
		ConfigurationInvalid: {
			"The server does not start.",
			"Mend what the problem names; `shelfcast --help` lists every setting, `shelfcast config print` shows those that count."},
		ConfigurationContradict: {
			"The server does not start, or one of the settings has no effect.",
			"Change or remove one of the settings that the problem names."},
		DirectoryUnwritable: {
			"No change can be stored; /readyz says so. Reads go on, and nothing stored is lost.",
			"Let the server's user own the directory (`chown`, `chmod u+rwx`), and see that the file system is not read-only (`mount`)."},
		DiskFull: {
			"Changes are refused with 503 until there is room; nothing stored is lost. Backups and books.json stay behind.",
			"Make room, or put --data on a larger disk; backups can go elsewhere with --backup-dir. No restart is needed."},
		PermissionsOpen: {
			"Other users of this machine can read the catalogue and its secret, or change it.",
			"`shelfcast check --repair`, or `chmod` as the problem names."},
		LogMissing: {
			"There is no catalogue here; a start begins a new one, from books.json if there is one.",
			"Look whether --data is right. To begin from a backup: `shelfcast backup restore NAME|FILE`."},
		LogUnreadable: {
			"The server does not start. What can be read of the log is still there.",
			"`shelfcast backup restore NAME|FILE --new-log` puts the log aside and begins a new one from a backup or from " +
				"DATA/books.json, which is at most seconds older than the log."},
		LogDamaged: {
			"Some of what the log holds is not what was written; books may show wrong or missing texts.",
			restore + ". If that cannot write, add --new-log without a server. Then look at the disk."},
		LogLostEnd: {
			"The latest changes are gone from the log. books.json has them still.",
			"Start the server: it restores them from books.json and gives the log a new epoch, so that clients read it anew. Then look at the disk."},
		WALDamaged: {
			"Changes that were stored behind the damaged place are not in the log. books.json followed the log by a second at most: " +
				"the start after the damage took from it what the log lacked.",
			"Compare the latest changes with what people remember. The directory holds the files as they were found, for whoever is to look " +
				"into it; delete it when nobody is. Then look at the disk."},
		FavoriteWithoutBook: {
			"Nobody sees it, and it takes space.",
			"`shelfcast check --repair` removes it."},
		MirrorForeign: {
			"While the server runs, the file is put aside under backups/ with the next change; a stop leaves it, and the next start restores the catalogue from it.",
			"If it is meant: `shelfcast backup restore DATA/books.json`. If not: delete it, and the server writes its own."},
		MirrorDiffers: {
			"Log and books.json are of the same moment and say different things, so one of them was changed afterwards.",
			"Compare `shelfcast export -` with books.json. To go by books.json: `shelfcast backup restore DATA/books.json`. To go by the log: delete books.json."},
		MirrorNoteDamaged: {
			"The server does not start, as it cannot tell its own books.json from one to be restored.",
			"Delete DATA/books.json.digest to restore books.json, or both files to keep the catalogue as the log has it."},
		ClockBehind: {
			"New changes carry earlier times than older ones; tokens, limits and backups go by the wrong time. Ids and positions still rise.",
			"Set the clock, for instance with `timedatectl set-ntp true`. Nothing has to be repaired afterwards."},
		CertificateInvalid: {
			"The server cannot serve TLS.",
			"Get a certificate and its key in PEM form, readable by the server."},
		CertificateExpired: {
			"Browsers refuse the connection.",
			"Renew the certificate; the server takes the new files without a restart."},
		BackupFailing: {
			"There is no recent backup.",
			"Mend what the problem names; the server tries again by itself."},
		LogMoved: {
			"It is not served, so that its catalogue is not changed in two places.",
			"Serve it where the problem says that it is, or run the `shelfcast migrate` that the problem names."},
		ClusterUnreachable: {
			"Nodes do not start; those that run refuse changes and show what they have.",
			"Look whether the NATS servers run, and whether --nats-url, --nats-creds and the certificates fit. No restart is needed."},
		ClusterNoQuorum: {
			"Changes are refused with 503; reads go on and get older. Nothing acknowledged is lost.",
			"Bring back more than half of the NATS servers; nodes heal without a restart. Servers that are gone for good are replaced by new ones: `nats server cluster peer-remove` says which."},
		ClusterReplicas: {
			"The catalogue survives the loss of fewer servers than wanted, and none at all with one copy.",
			"Bring the server back that the problem names, or add replicas: `nats stream edit NAME --replicas 3`."},
		ClusterSync: {
			"A power cut of more than half of the servers at once may lose the latest acknowledged changes.",
			"Set `sync_interval: always` in the jetstream block of each server's configuration, and restart one after the other."},
		ClusterClock: {
			"New changes carry wrong times; tokens, limits and backups go by the wrong time. Versions and positions still rise.",
			"Set the clocks, for instance with `timedatectl set-ntp true`, here and on the NATS servers."},
		ClusterSettings: {
			"The catalogue may lose books, or nodes refuse to start: somebody has changed the stream.",
			"Change it back with `nats stream edit`; what a setting did before stays done: compare with a backup."},
		BackupDamaged: {
			"It cannot be restored.",
			"Make a new one with `shelfcast backup create`, remove the damaged one, and look at the disk."},
	}
}
