import type { Forge, ForgeParts } from './forge.ts'

/**
 * A folder of git repositories. Only git on the daemon's host reads it. The web server may be on another host, so it
 * cannot check links, and accepts them.
 */
export const folderForge = ({ entry }: ForgeParts): Forge => ({
  entry,
  signIn: undefined,
  people: undefined,
  repositories: undefined,
  pages: undefined,
})
