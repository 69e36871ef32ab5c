import { Command } from 'commander'
import { plainText } from './plain-text.ts'

type Verb = () => Command

/**
 * Runs the verb that the arguments name. The help does not list those that the command itself calls (`internal`). An
 * error that is meant for a person is printed as its message, with exit code 1.
 */
export async function runCommandLine(verbs: readonly Verb[], internal: readonly Verb[] = []): Promise<void> {
  const program = new Command('origami')
    .description('Turns the repository of a trained model into a live, queued, shareable web demo.')
    .showHelpAfterError('(origami --help lists the verbs, origami <verb> --help what each takes)')
  for (const verb of verbs) program.addCommand(verb())
  for (const verb of internal) program.addCommand(verb(), { hidden: true })
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof Error) || isProgrammingError(error)) throw error
    console.error(plainText(error.message))
    process.exitCode = 1
  }
}

const isProgrammingError = (error: Error): boolean =>
  [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind) ||
  error.name === 'AssertionError'
