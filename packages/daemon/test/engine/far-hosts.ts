import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { execa } from 'execa'

/**
 * Hosts beyond this one, as one network namespace that has the addresses of all: nothing that is sent to them leaves
 * this machine.
 */
export const far = {
  public: '198.51.100.213',
  metadata: '169.254.169.254',
  ten: '10.213.77.1',
  sixteen: '172.31.213.1',
  home: '192.168.213.1',
  carrier: '100.100.213.1',
  multicast: '224.0.0.213',
  public6: '2001:db8:213::1',
  unique6: 'fd21:3:ffff::1',
  metadata6: 'fd00:ec2::254',
} as const
/** What listens at each of them. */
export const farPorts = [25, 53, 80, 443, 6379] as const

const isV6 = (address: string) => address.includes(':')
const [ours, theirs] = ['10.213.78.1', '10.213.78.2']
const ours6 = 'fd21:3::1'

/** Makes the hosts, with what listens there, until it is disposed. */
export async function openFarHosts(): Promise<AsyncDisposable> {
  await using made = new AsyncDisposableStack()
  const space = `origami-far-${process.pid}`
  const link = `of${process.pid}`
  await ip('netns', 'add', space)
  made.defer(() => ip('netns', 'del', space))
  await ip('-n', space, 'link', 'set', 'lo', 'up')
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'far', 'netns', space)
  await ip('addr', 'add', `${ours}/30`, 'dev', link)
  await ip('-6', 'addr', 'add', `${ours6}/64`, 'dev', link, 'nodad')
  await ip('link', 'set', link, 'up')
  await ip('-n', space, 'addr', 'add', `${theirs}/30`, 'dev', 'far')
  await ip('-n', space, '-6', 'addr', 'add', 'fd21:3::2/64', 'dev', 'far', 'nodad')
  await ip('-n', space, 'link', 'set', 'far', 'up')
  await ip('-n', space, '-6', 'route', 'add', 'default', 'via', ours6)
  for (const address of Object.values(far).filter((each) => !each.startsWith('224.'))) {
    const one = `${address}/${isV6(address) ? 128 : 32}`
    await ip('-n', space, 'addr', 'add', one, 'dev', 'far', ...(isV6(address) ? ['nodad'] : []))
    // A test that was killed may have left one of its own.
    await ip('route', 'replace', one, 'dev', link)
  }
  const program = [process.execPath, join(import.meta.dirname, 'far-host.mjs'), ...farPorts.map(String)]
  const hosts = spawn('/usr/sbin/ip', ['netns', 'exec', space, ...program], { stdio: ['ignore', 'pipe', 'inherit'] })
  made.defer(async () => {
    const ended = once(hosts, 'exit')
    hosts.kill()
    await ended
  })
  await once(hosts.stdout, 'data')
  return made.move()
}

/** Tests of Docker run without a PATH. */
async function ip(...args: string[]): Promise<void> {
  await execa('/usr/sbin/ip', args)
}
