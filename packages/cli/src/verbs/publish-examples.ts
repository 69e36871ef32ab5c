import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Command } from 'commander'
import { checkoutFolder } from '../checkout.ts'
import { fillExamplesForge } from '../examples-forge.ts'

const name = 'publish-examples'

export const publishExamplesVerb = () =>
  new Command(name)
    .description('bundle the examples into the repositories of a forge')
    .argument('<forge>', 'its folder')
    .action((forge: string) => fillExamplesForge(join(checkoutFolder, 'examples'), forge, console.log))

/**
 * Bundles the examples into a forge, in a process of its own: the servers would keep the memory that it takes. Throws
 * Error when that fails; what it prints says why.
 */
export async function publishExamples(forge: string): Promise<void> {
  const program = [process.argv[1] as string, name, forge]
  // Ctrl-C is for the servers. Repositories are written to their end.
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the examples could not be bundled (${code}); what it says stands above`)
}
