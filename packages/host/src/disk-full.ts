/** What the kernel and SQLite say when a disk, or what one account may have of it, is full. */
const codes = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])

/** Whether an error, or what caused it, says that the disk is full. What was to be stored may be tried again later. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (typeof code === 'string' && codes.has(code)) || isDiskFull(error.cause)
}
