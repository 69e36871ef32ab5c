/** What a demo is called. */
export interface Names {
  /** What `.origami` says. */
  readonly manifest?: string | undefined
  /** What the model says, or the name of its file. */
  readonly model?: string | undefined
  /** What whoever runs it calls it: the repository's name, or the bundle's. */
  readonly configured?: string | undefined
  /** The name of the folder it is in. */
  readonly folder: string
}

/** What a page shows: from `.origami`, else the model, else the repository, else the folder. */
export function demoTitle({ manifest, model, configured, folder }: Names): string {
  return manifest || model || readableName(configured ?? '') || readableName(folder) || 'Model'
}

/** `dog-breeds` → `Dog breeds` */
export function readableName(name: string): string {
  const spaced = name.replaceAll(/[-_]+/g, ' ').trim()
  return (spaced.charAt(0).toUpperCase() + spaced.slice(1)).slice(0, 200)
}
