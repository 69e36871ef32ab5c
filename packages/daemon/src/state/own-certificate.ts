import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readTls, replaceTls, type TlsFiles, type TlsPaths } from '@origami/host/tls-files'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0:0:0:0:0:0:0:1'])

/** A certificate was rejected. The message says what was expected and what came. */
class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused'
  readonly statusCode = 422
}

/**
 * The daemon's certificate. Its web server, as the authority, renews it over the connection that it secures. The key
 * never leaves this host.
 */
export class OwnCertificate {
  private readonly paths: TlsPaths
  private files: TlsFiles
  /** The newest key, until its certificate arrives. */
  private pendingKey: string | undefined

  private constructor(paths: TlsPaths, files: TlsFiles) {
    this.paths = paths
    this.files = files
  }

  /** Throws Error when a file is missing, or others can read the key. */
  static async open(paths: TlsPaths): Promise<OwnCertificate> {
    return new OwnCertificate(paths, await readTls(paths))
  }

  /** The options of a TLS server with this certificate. */
  get secureContext() {
    return { ...this.files, minVersion: 'TLSv1.2' as const }
  }

  get certificate(): X509Certificate {
    return new X509Certificate(this.files.cert)
  }

  /** Throws Error when others can reach the address and the certificate names only this host's own addresses. */
  refuseNameless(host: string): void {
    if (loopback.has(host) || namesOf(this.certificate).some((name) => !loopback.has(name))) return
    throw new Error(
      `${this.paths.cert} has no name by which another host reaches this one, so nothing should listen at ${host}. On the web server's host: origami certificates --daemon <this host>; copy the folder here and give it as --certificates`,
    )
  }

  /** Makes a key, and returns a request for its certificate (PKCS #10) in PEM. */
  async request(): Promise<string> {
    // Loaded here, since it takes 20 MB and a certificate is renewed a few times a year.
    await import('reflect-metadata')
    const x509 = await import('@peculiar/x509')
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=origami daemon',
      keys,
      signingAlgorithm: algorithm,
    })
    this.pendingKey = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
    return request.toString('pem')
  }

  /**
   * Accepts the certificate for the newest key, and stores both. Throws CertificateRefused and changes nothing when it
   * does not fit.
   */
  async accept(pem: string): Promise<void> {
    const key = this.pendingKey
    const certificate = parsed(pem)
    if (key === undefined || !certificate.checkPrivateKey(createPrivateKey(key)))
      throw new CertificateRefused('expected the certificate of the key that was requested last')
    const authority = new X509Certificate(this.files.ca)
    if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
      throw new CertificateRefused('expected a certificate of the authority that this daemon knows')
    const [before, after] = [namesOf(this.certificate), namesOf(certificate)]
    if (before.some((name) => !after.includes(name)))
      throw new CertificateRefused(`expected a certificate for ${before.join(', ')}, got one for ${after.join(', ')}`)
    await replaceTls(this.paths, { cert: pem, key })
    this.pendingKey = undefined
    this.files = await readTls(this.paths)
  }
}

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new CertificateRefused('expected a certificate in PEM', { cause })
  }
}

function namesOf({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name = '']) => name)
}
