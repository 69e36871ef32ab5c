import { DirectConnection } from '@origami/host/sqlite'
import type { Compilable, CompiledQuery, QueryResult } from 'kysely'
import type { Trx } from './open.ts'

const compiled = new Map<string, CompiledQuery>()

/**
 * Runs a statement that is made and compiled once for each `shape`, since both cost more than to run it. `make` makes
 * it with these parameters, in the order in which the statement has them.
 */
export async function runCompiled<Row>(
  trx: Trx,
  shape: string,
  parameters: readonly unknown[],
  make: () => Compilable<Row>,
): Promise<QueryResult<Row>> {
  const known = compiled.get(shape) as CompiledQuery<Row> | undefined
  if (known) return execute(trx, { ...known, parameters })
  const query = make().compile()
  if (query.parameters.length !== parameters.length || query.parameters.some((one, at) => one !== parameters[at]))
    throw new Error(`expected the parameters of ${query.sql} in their order, got others`)
  compiled.set(shape, query)
  return execute(trx, query)
}

const execute = <Row>(trx: Trx, query: CompiledQuery<Row>): Promise<QueryResult<Row>> | QueryResult<Row> =>
  trx instanceof DirectConnection ? trx.run(query) : trx.executeQuery(query)
