import { isIPv6 } from 'node:net'
import { interfacePrefix } from './interfaces.ts'

/** What the rules of one state folder depend on. */
export interface RulesAbout {
  /** The random id of the state folder. */
  readonly owner: string
  /** The bridges of demos that were made before bridges had names of ours. */
  readonly unnamed: readonly string[]
  /** Where Docker's resolver sends questions from inside a container. */
  readonly nameservers: readonly string[]
  /** The bridge of builds while one is under way, and what may use it as before. */
  readonly builds?: BuildBridge | undefined
}

export interface BuildBridge {
  readonly bridge: string
  /** Networks that builds may reach besides public addresses: package mirrors. */
  readonly mirrors: readonly string[]
  /** The addresses of containers on this bridge, which are no builds. */
  readonly containers: readonly string[]
}

export type Family = 'ipv4' | 'ipv6'

/** Addresses that are not public: this host, its networks, metadata services, multicast, and what leads to them. */
const notPublic = {
  ipv4: [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
    ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ],
  // All but 2000::/3, and in it Teredo and 6to4, which carry an IPv4 address.
  ipv6: ['::/3', '4000::/2', '8000::/1', '2001::/32', '2002::/16'],
} as const satisfies Record<Family, readonly string[]>

/** The kernel's limit of a chain's name is 28 characters. */
export const chainPrefix = (owner: string): string => `ORIGAMI-${owner.slice(0, 8)}`

/** Which chain is jumped to from where: what is forwarded, and what is for this host itself. */
export const entryChains = (owner: string) => ({ forward: chainPrefix(owner), host: `${chainPrefix(owner)}-HOST` })

/** Each chain with its rules, in the notation of `iptables -A`, without the chain. */
export function rulesOf(about: RulesAbout, family: Family): Map<string, readonly string[]> {
  const { owner, unnamed, builds } = about
  const { forward, host } = entryChains(owner)
  const [none, web, open] = (['none', 'web', 'open'] as const).map((policy) => `${interfacePrefix(owner, policy)}+`)
  const [webChain, openChain, privateChain] = [`${forward}-WEB`, `${forward}-OPEN`, `${forward}-PRIVATE`]
  const [buildChain, buildHost] = [`${forward}-BUILD`, `${forward}-BUILDH`]
  const nameservers = nameserverRules(about, family)
  const refuseChain = `${forward}-REFUSE`
  const refused = `-j ${refuseChain}`
  const notPublicTo = (verdict: string) => notPublic[family].map((range) => `-d ${range} ${verdict}`)
  const demos = [none, web, open, ...unnamed]
  const chains = new Map<string, readonly string[]>([
    // The kernel sends few ICMP errors a second to one host, and as many resets as there are packets.
    [refuseChain, ['-p tcp -j REJECT --reject-with tcp-reset', '-j REJECT']],
    [privateChain, notPublicTo(refused)],
    [webChain, [...nameservers, `-j ${privateChain}`, '-p tcp -m multiport --dports 80,443 -j RETURN', refused]],
    [openChain, [...nameservers, `-j ${privateChain}`]],
    [
      forward,
      [
        // Docker publishes on loopback, so nothing that is forwarded begins a connection to a demo.
        ...demos.map((bridge) => `-o ${bridge} -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP`),
        `-i ${none} ${refused}`,
        ...[web, ...unnamed].map((bridge) => `-i ${bridge} -j ${webChain}`),
        `-i ${open} -j ${openChain}`,
        ...(builds ? [`-i ${builds.bridge} -j ${buildChain}`] : []),
      ],
    ],
    [
      host,
      [
        ...demos.flatMap((bridge) => [
          // Answers to the daemon. A connection that the demo began is not one because an earlier packet passed.
          `-i ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN`,
          ...neighbours(family).map((kind) => `-i ${bridge} ${kind} -j RETURN`),
          ...(bridge === none ? [] : nameservers.map((rule) => `-i ${bridge} ${rule}`)),
          `-i ${bridge} ${refused}`,
        ]),
        ...(builds ? [`-i ${builds.bridge} -j ${buildHost}`] : []),
      ],
    ],
  ])
  if (!builds) return chains
  const asBefore = [
    '-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN',
    ...ofFamily(builds.containers, family).map((address) => `-s ${address} -j RETURN`),
    ...nameservers,
    ...ofFamily(builds.mirrors, family).map((network) => `-d ${network} -j RETURN`),
  ]
  // Dropped and not rejected: a container that just began and is not excepted yet tries again a second later.
  const buildRules = [
    ...asBefore,
    ...notPublicTo('-j DROP'),
    ...['-p tcp -m multiport --dports 53,80,443', '-p udp -m udp --dport 53'].map((allowed) => `${allowed} -j RETURN`),
    '-j DROP',
  ]
  chains.set(buildChain, buildRules)
  chains.set(buildHost, [...asBefore, ...neighbours(family).map((kind) => `${kind} -j RETURN`), '-j DROP'])
  return chains
}

const nameserverRules = ({ nameservers }: RulesAbout, family: Family): string[] =>
  ofFamily(nameservers, family).flatMap((address) =>
    ['udp', 'tcp'].map((protocol) => `-d ${address} -p ${protocol} -m ${protocol} --dport 53 -j RETURN`),
  )

/** How hosts on one network find each other by IPv6. */
const neighbours = (family: Family): string[] =>
  family === 'ipv4' ? [] : [135, 136].map((type) => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}`)

const ofFamily = (addresses: readonly string[], family: Family): string[] =>
  addresses.filter((address) => isIPv6(address.replace(/\/.*$/, '')) === (family === 'ipv6'))
