import type { Forge, ForgeParts } from './forge.ts'

/**
 * A folder of git repositories. Only git reads it, on the daemon's host: the web server may stand on another, so it
 * asks nothing of a folder and takes everybody's word for a link.
 */
export const folderForge = ({ entry }: ForgeParts): Forge => ({
  entry,
  signIn: undefined,
  people: undefined,
  repositories: undefined,
  pages: undefined,
})
