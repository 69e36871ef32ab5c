import type { DeployParts } from '../deploy/parts.ts'
import { logged } from '../logged.ts'
import { deploymentsByState, note, notReached } from '../store/deployments.ts'

/** Stops every instance and holds its demo, so that the next daemon starts it again. */
export async function stopInstances({ db, engine, limits }: DeployParts): Promise<void> {
  for (const row of await deploymentsByState(db, ['running', 'draining'])) await note(db, row, notReached)
  const stop = ({ id }: { id: Parameters<typeof engine.stop>[0] }) =>
    logged(`instance ${id} could not be stopped`, async () => {
      await engine.stop(id, limits.stopGraceMs)
      await engine.remove(id)
    })
  await Promise.all((await engine.list()).map(stop))
}
