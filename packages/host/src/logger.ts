/** Writes messages for the operator to standard error, together with the room that they come from. */
export interface Logger {
  /** `message` says what went wrong and what happens next. */
  error(message: string, error?: unknown): void
  info(message: string): void
}

/** The logger of one room. The room is the name of a folder, such as `engine`. */
export const logger = (room: string): Logger => ({
  error: (message, error) => console.error(`${room}: ${message}`, ...(error === undefined ? [] : [error])),
  info: (message) => console.error(`${room}: ${message}`),
})
