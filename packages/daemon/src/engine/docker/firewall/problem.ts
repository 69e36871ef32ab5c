import { families, presentRules } from './iptables.ts'

/**
 * Why rules cannot be set on this host, as far as it can be known before Docker is asked. Undefined: nothing is known
 * against it.
 */
export async function firewallProblem(dockerHost: string | undefined): Promise<string | undefined> {
  if (dockerHost && !dockerHost.startsWith('unix:')) return `DOCKER_HOST is ${dockerHost}, which is another host`
  if (process.getuid?.() !== 0) return 'rules need root, and this is another account'
  try {
    for (const family of families()) await presentRules(family)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
