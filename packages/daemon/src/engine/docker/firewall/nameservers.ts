import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { unlessAbsent } from '@origami/host/absent-files'

/** Docker takes the second where the first names systemd's own resolver alone. */
const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/**
 * The servers that Docker's resolver asks for a container. It asks those on loopback from the host, and all others from
 * inside the container, so rules must let that pass.
 */
export async function nameservers(): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(unlessAbsent(''))))
  return [...new Set(texts.flatMap(nameserversIn))]
}

/** Those that a resolv.conf names, without loopback and without those of one link alone. */
export const nameserversIn = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address) !== 0 && !address.startsWith('127.') && address !== '::1')
