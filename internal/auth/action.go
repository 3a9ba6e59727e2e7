package auth

// Action is something that an actor may be allowed to do. The zero value is allowed to nobody.
type Action string

// The actions that the permission table grants. A REST call or a socket event belongs to one of
// them by its row in that table and nowhere else.
const (
	ActionLookAround Action = "server.look" // what anybody may ask without a name
	ActionConnect    Action = "session.hold"

	ActionReadBooks   Action = "books.read"
	ActionAddBook     Action = "books.add"
	ActionEditBook    Action = "books.edit"
	ActionDeleteBook  Action = "books.delete"
	ActionFavorite    Action = "books.favorite"
	ActionLoadSamples Action = "books.samples"

	ActionReadStats      Action = "stats.read"
	ActionWatchDashboard Action = "dashboard.watch"

	ActionReadConnections Action = "connections.read"
	ActionEndConnection   Action = "connections.end"
	ActionReadBlocks      Action = "blocks.read"
	ActionEditBlocks      Action = "blocks.edit"
	ActionReadRefusals    Action = "refusals.read"
	ActionReadHistory     Action = "history.read"
	ActionReportTimings   Action = "timings.report"
	ActionReadMetrics     Action = "metrics.read"
	ActionReadBackups     Action = "backups.read"
	ActionMakeBackups     Action = "backups.make"
	ActionReadLogLevel    Action = "log-level.read"
	ActionSetLogLevel     Action = "log-level.set"

	ActionServe      Action = "server.run"
	ActionExchange   Action = "books.exchange"
	ActionMigrate    Action = "books.migrate"
	ActionRestore    Action = "backups.restore"
	ActionCheck      Action = "server.check"
	ActionMintTokens Action = "tokens.mint"
	ActionMeasure    Action = "server.measure"
)
