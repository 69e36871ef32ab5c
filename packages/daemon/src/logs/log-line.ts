/** One line of a demo's log without its line end. `source` is the step or program that wrote it. */
export interface LogLine {
  readonly at: Date
  readonly source: 'deploy' | 'clone' | 'build' | 'demo'
  readonly text: string
}
