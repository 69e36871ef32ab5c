/**
 * Handles the error of a call on a path: a path that does not exist gives `none`. Throws every other error, because it
 * says nothing about whether the path exists: too many open files, no permission, a damaged disk.
 */
export const unlessAbsent =
  <Value>(none: Value) =>
  (error: NodeJS.ErrnoException): Value => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return none
    throw error
  }
