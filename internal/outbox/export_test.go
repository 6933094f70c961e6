package outbox

// PollInterval is the time an idle queue waits without a notification.
const PollInterval = pollInterval
