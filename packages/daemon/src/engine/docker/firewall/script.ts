import { chainPrefix, entryChains, type Family, type RulesAbout, rulesOf } from './rules.ts'

/**
 * What `iptables-restore --noflush` is told, in one transaction, so that there is no moment without rules. `present` is
 * what `iptables -S` prints. Chains of others stay as they are, but for the jumps to ours.
 */
export function scriptThatSets(about: RulesAbout, family: Family, present: string): string {
  const rules = rulesOf(about, family)
  const { forward, host } = entryChains(about.owner)
  // Docker makes DOCKER-USER for rules of others, and leaves what is in it. Where it does not, FORWARD is as good.
  const parent = present.includes('-N DOCKER-USER\n') ? 'DOCKER-USER' : 'FORWARD'
  const jumps = [`${parent} -j ${forward}`, `INPUT -j ${host}`]
  const lines = present.split('\n')
  return transaction([
    ...[...rules.keys()].map((chain) => `:${chain} - [0:0]`),
    ...[...rules].flatMap(([chain, each]) => each.map((rule) => `-A ${chain} ${rule}`)),
    ...jumps.filter((jump) => !lines.includes(`-A ${jump}`)).map((jump) => `-I ${jump.replace(' ', ' 1 ')}`),
    ...surplus(about.owner, lines, [...rules.keys()]),
  ])
}

/** The same for taking all of it away. Undefined: there is nothing. */
export function scriptThatRemoves(owner: string, present: string): string | undefined {
  const lines = present.split('\n')
  const commands = [...jumpsIn(owner, lines).map((jump) => `-D ${jump}`), ...surplus(owner, lines, [])]
  return commands.length > 0 ? transaction(commands) : undefined
}

/** Whether rules of this owner stand, jumped to from where they must. */
export function isSet(owner: string, present: string): boolean {
  const { forward, host } = entryChains(owner)
  const jumps = jumpsIn(owner, present.split('\n'))
  return [forward, host].every((chain) => jumps.some((jump) => jump.endsWith(` -j ${chain}`)))
}

function jumpsIn(owner: string, lines: readonly string[]): string[] {
  const entries = Object.values(entryChains(owner))
  return lines
    .filter((line) => entries.some((chain) => line.endsWith(` -j ${chain}`)))
    .map((line) => line.replace('-A ', ''))
}

/** Removes chains of ours that are not needed (any more). All are emptied first, since they refer to each other. */
function surplus(owner: string, lines: readonly string[], needed: readonly string[]): string[] {
  const ours = lines.filter((line) => line.startsWith(`-N ${chainPrefix(owner)}`)).map((line) => line.slice(3))
  const left = ours.filter((chain) => !needed.includes(chain))
  return [...left.map((chain) => `:${chain} - [0:0]`), ...left.map((chain) => `-X ${chain}`)]
}

const transaction = (commands: readonly string[]): string => ['*filter', ...commands, 'COMMIT', ''].join('\n')
