/** Writes messages for the operator to standard error, together with the room that they come from. */
export interface Logger {
  /** `message` says what went wrong and what happens next. */
  error(message: string, error?: unknown): void
  info(message: string): void
}

const controls = /[\p{Cc}\u2028\u2029]/gu

/** A message may have words of a stranger, which must neither make another line nor move a terminal. */
const oneLine = (message: string): string =>
  message.replaceAll(controls, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The logger of one room. The room is the name of a folder, such as `engine`. */
export const logger = (room: string): Logger => ({
  error: (message, error) => console.error(`${room}: ${oneLine(message)}`, ...(error === undefined ? [] : [error])),
  info: (message) => console.error(`${room}: ${oneLine(message)}`),
})
