package outbox

// PollInterval is how long a lane sleeps when nobody rings.
const PollInterval = pollInterval
