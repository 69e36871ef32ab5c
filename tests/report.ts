import { relative } from 'node:path'

/** What Vitest writes about a run, as far as it is read here. */
export interface Report {
  readonly numPassedTests?: number
  readonly numFailedTests?: number
  readonly testResults?: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** The ten files that took longest, the longest first, as lines. */
export function slowestTests({ testResults = [] }: Report, root: string): string[] {
  const took = testResults.map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  const slowest = took.toSorted((one, other) => other.seconds - one.seconds).slice(0, 10)
  return [
    'slowest files:',
    ...slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${relative(root, name)}`),
  ]
}

/** Each test that failed, as a line; of a file that failed as a whole, why. Nothing when none failed. */
export function failedTests({ testResults = [] }: Report, root: string): string[] {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message = '', assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
      const messages = failed.length > 0 ? failed : [message.trim().split('\n')[0] || 'the file itself']
      return messages.map((one) => `failed: ${relative(root, name)} > ${one}`)
    })
}
