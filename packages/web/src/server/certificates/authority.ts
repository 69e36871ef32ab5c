import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import 'reflect-metadata'
import { readPrivate } from '@origami/host/private-files'
import { replaceTls } from '@origami/host/tls-files'
import * as x509 from '@peculiar/x509'

const day = 86_400_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** The subject of a certificate. */
export interface Subject {
  /** For example `origami daemon`. */
  readonly name: string
  /** The host names and addresses at which it answers. */
  readonly names: readonly string[]
  readonly role: 'client' | 'server'
  readonly days: number
}

/** Signs the certificates of the web server and of its daemon, who trust each other because of it. */
export class Authority {
  /** The authority's own certificate in PEM. */
  readonly certificate: string
  private readonly own: x509.X509Certificate
  private readonly signingKey: CryptoKey
  private readonly clock: () => number

  private constructor(own: x509.X509Certificate, signingKey: CryptoKey, clock: () => number) {
    this.own = own
    this.certificate = own.toString('pem')
    this.signingKey = signingKey
    this.clock = clock
  }

  /** `cert.pem` and `key.pem` in the folder, made at first use. Throws Error when others can read the key. */
  static async open(folder: string, clock: () => number = Date.now): Promise<Authority> {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    if (!existsSync(cert)) await replaceTls({ ca: cert, cert, key }, await selfSigned(clock()))
    const pem = x509.PemConverter.decodeFirst((await readPrivate(key)).toString('utf8'))
    const signingKey = await crypto.subtle.importKey('pkcs8', pem, algorithm, false, ['sign'])
    return new Authority(new x509.X509Certificate(await readFile(cert, 'utf8')), signingKey, clock)
  }

  /** Makes a key and its certificate, both in PEM. */
  async issue(subject: Subject): Promise<{ cert: string; key: string }> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    return { cert: await this.certify(keys.publicKey, subject), key: await exportKey(keys.privateKey) }
  }

  /**
   * Makes a certificate for the key of a request (PKCS #10, PEM). The other fields of the request are ignored. Throws
   * Error when it is not signed with its key.
   */
  async sign(request: string, subject: Subject): Promise<string> {
    const parsed = new x509.Pkcs10CertificateRequest(request)
    if (!(await parsed.verify())) throw new Error('expected a request for a certificate, signed by its own key')
    return this.certify(await parsed.publicKey.export(), subject)
  }

  private async certify(publicKey: CryptoKey, { name, names, role, days }: Subject): Promise<string> {
    const usage = role === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: this.own.subject,
      publicKey,
      signingKey: this.signingKey,
      signingAlgorithm: algorithm,
      // It is valid from an hour ago, because the other host's clock may be late.
      notBefore: new Date(this.clock() - 3_600_000),
      notAfter: new Date(this.clock() + days * day),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([usage], true),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
        ),
      ],
    })
    return certificate.toString('pem')
  }
}

async function selfSigned(now: number): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=origami authority',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 20 * 365 * day),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  })
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}
