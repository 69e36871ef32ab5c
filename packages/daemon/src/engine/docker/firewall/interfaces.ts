import type { NetworkPolicy } from '@origami/protocol/demo'

/** The kernel's limit is 15 characters: two that say what it is, five of the owner, eight of the demo. */
const letters = { none: 'n', web: 'w', open: 'o' } as const satisfies Record<NetworkPolicy, string>

/** What the names of all bridges begin with whose demos have this policy. Rules match by it. */
export const interfacePrefix = (owner: string, policy: NetworkPolicy): string =>
  `o${letters[policy]}${owner.slice(0, 5)}`

/** The name of the bridge of one demo's network, fixed so that rules hold for it before it is there. */
export const interfaceName = (owner: string, policy: NetworkPolicy, demo: string): string =>
  `${interfacePrefix(owner, policy)}${demo.slice(0, 8)}`
