/** Tells the operator, on standard error, with the room that it comes from. */
export interface Logger {
  /** `message`: what went wrong, and what happens next. */
  error(message: string, error?: unknown): void
  info(message: string): void
}

/** The logger of one room: a folder's name, such as `engine`. */
export const logger = (room: string): Logger => ({
  error: (message, error) => console.error(`${room}: ${message}`, ...(error === undefined ? [] : [error])),
  info: (message) => console.error(`${room}: ${message}`),
})
