package auth

// The texts that clients see, fixed by the contract and by the handbook's security section.
const (
	forbiddenText    = "Unauthorized access"
	invalidInputText = "Invalid input"
)
