/** What a demo is called. */
export interface Names {
  /** What `.origami` says. */
  readonly manifest?: string | undefined
  /** What the model says, or the name of its file. */
  readonly model?: string | undefined
  /** What whoever runs it calls it: the repository's name, or the bundle's. */
  readonly given?: string | undefined
  /** The name of the folder it is in. */
  readonly folder: string
}

/** What a page shows: from `.origami`, else the model, else the repository, else the folder. */
export function titleOf({ manifest, model, given, folder }: Names): string {
  return manifest || model || wordsOf(given ?? '') || wordsOf(folder) || 'Model'
}

/** `dog-breeds` → `Dog breeds` */
export function wordsOf(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ').trim()
  return (words.charAt(0).toUpperCase() + words.slice(1)).slice(0, 200)
}
