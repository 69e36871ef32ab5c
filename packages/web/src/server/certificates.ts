import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const years = (count: number) => new Date(Date.now() + count * 365 * 86_400_000)

interface Authority {
  readonly certificate: x509.X509Certificate
  readonly keys: CryptoKeyPair
}

/**
 * The certificates by which web server and daemon know each other, under a data folder: the authority in `web/authority`, the web server's own in `web/tls`,
 * the daemon's in `daemon/tls`, each as ca.pem, cert.pem, key.pem. Keys are 0600. What is there stays.
 */
export async function ensureCertificates(data: string): Promise<void> {
  const authority = await openAuthority(join(data, 'web/authority'))
  await issue(authority, join(data, 'web/tls'), 'origami web', [x509.ExtendedKeyUsage.clientAuth])
  await issue(authority, join(data, 'daemon/tls'), 'origami daemon', [x509.ExtendedKeyUsage.serverAuth])
}

async function openAuthority(folder: string): Promise<Authority> {
  if (!existsSync(join(folder, 'cert.pem'))) {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=origami authority',
      keys,
      signingAlgorithm: algorithm,
      notAfter: years(20),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    await write(folder, { 'key.pem': await exportKey(keys.privateKey), 'cert.pem': certificate.toString('pem') })
  }
  const certificate = new x509.X509Certificate(await readFile(join(folder, 'cert.pem'), 'utf8'))
  const pem = x509.PemConverter.decodeFirst(await readFile(join(folder, 'key.pem'), 'utf8'))
  const privateKey = await crypto.subtle.importKey('pkcs8', pem, algorithm, true, ['sign'])
  return { certificate, keys: { privateKey, publicKey: await certificate.publicKey.export() } }
}

async function issue(
  { certificate: ca, keys: signer }: Authority,
  folder: string,
  name: string,
  usage: x509.ExtendedKeyUsageType[],
): Promise<void> {
  if (existsSync(join(folder, 'cert.pem'))) return
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: algorithm,
    notAfter: years(10),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension(usage, true),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  })
  await write(folder, {
    'ca.pem': ca.toString('pem'),
    'key.pem': await exportKey(keys.privateKey),
    'cert.pem': certificate.toString('pem'),
  })
}

/** The certificate is written last: it says that the rest is there. */
async function write(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
}

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}
