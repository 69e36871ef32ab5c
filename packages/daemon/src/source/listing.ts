import { type FetchLimits, SourceError } from './source.ts'

/** One entry of a commit's tree. */
interface Entry {
  /** As git writes it: `100644`. */
  readonly mode: string
  readonly path: string
  readonly bytes: number
}

/** What of a tree is looked at once it is written. */
export interface Listing {
  readonly links: readonly string[]
  readonly submodules: readonly string[]
  /** Files of the size of a pointer of Git LFS. */
  readonly perhapsPointers: readonly string[]
}

const modes = {
  file: '100644',
  program: '100755',
  groupFile: '100664',
  folder: '040000',
  link: '120000',
  commit: '160000',
}
/** The longest name that a file system takes. */
const mostNameBytes = 255
/** A pointer of Git LFS has three lines; one with extensions has a few more. */
const pointerBytes = { from: 100, to: 1024 }
const shownLength = 80

/**
 * Reads what `git ls-tree -r -t -l -z` says of a tree, as it comes, and refuses the tree at the first entry that is too
 * much: a few objects can stand for millions of files, so this comes before any is written.
 */
export class TreeReader implements Listing {
  readonly links: string[] = []
  readonly submodules: string[] = []
  readonly perhapsPointers: string[] = []
  private readonly limits: FetchLimits
  private entries = 0
  private bytes = 0
  private rest = Buffer.alloc(0)

  constructor(limits: FetchLimits) {
    this.limits = limits
  }

  /** Throws SourceError. */
  read(chunk: Buffer): void {
    const bytes = Buffer.concat([this.rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      this.take(bytes.subarray(start, end))
      start = end + 1
    }
    this.rest = bytes.subarray(start)
    // The rest is a path, but for what stands before it.
    if (this.rest.length > this.limits.pathBytes + 200) this.refusePath(this.rest)
  }

  private take(record: Buffer): void {
    const tab = record.indexOf('\t')
    const path = record.subarray(tab + 1)
    const names = path.toString('latin1').split('/')
    if (path.length > this.limits.pathBytes || names.some((name) => name.length > mostNameBytes)) this.refusePath(path)
    const [mode = '', , , size = ''] = record.toString('latin1', 0, Math.max(tab, 0)).split(/ +/)
    this.add({ mode, path: path.toString('utf8'), bytes: Number(size) || 0 })
  }

  private add({ mode, path, bytes }: Entry): void {
    const { limits } = this
    this.entries += 1
    this.bytes += bytes
    if (this.entries > limits.files)
      throw new SourceError(
        `the repository has too many files and folders: expected at most ${limits.files} (\`limits.tree_files\`)`,
      )
    if (this.bytes > limits.bytes)
      throw new SourceError(
        `the repository is too large: expected at most ${limits.bytes} bytes, checked out (\`limits.tree\`)`,
      )
    if (!Object.values(modes).includes(mode))
      throw new SourceError(`${shown(path)} is neither a file nor a folder (mode ${mode})`)
    if (mode === modes.link) this.links.push(path)
    else if (mode === modes.commit) this.submodules.push(path)
    else if (bytes >= pointerBytes.from && bytes <= pointerBytes.to) this.perhapsPointers.push(path)
  }

  private refusePath(path: Buffer): never {
    const { pathBytes } = this.limits
    throw new SourceError(
      `the repository has a path that is too long: expected at most ${pathBytes} bytes (\`limits.tree_path\`) and ` +
        `${mostNameBytes} for one name, got ${shown(path.toString('utf8', 0, shownLength * 4))}`,
    )
  }
}

/** A path for people. */
export const shown = (path: string): string =>
  JSON.stringify(path.length > shownLength ? `${path.slice(0, shownLength)}…` : path)
