import { expect, test } from 'vitest'
import { deployersVerb } from '../src/verbs/deployers.ts'

test.each([[['nonsense']], [['ad', 'github.com/ann']]])('%j is refused by what may stand there', async (args) => {
  const verb = deployersVerb().exitOverride()
  await expect(verb.parseAsync(args, { from: 'user' })).rejects.toThrow(
    `origami deployers: expected list, add or remove, got ${args[0]}`,
  )
})
