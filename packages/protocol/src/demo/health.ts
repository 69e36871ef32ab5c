import { z } from 'zod'

const setupStatuses = ['starting', 'succeeded', 'failed'] as const

/** The answer of `GET /health-check`, always with status 200: Cog's, with the API's version. */
export const health = z.object({
  status: z.enum(['STARTING', 'READY', 'BUSY', 'SETUP_FAILED', 'DEFUNCT']),
  setup: z
    .object({
      started_at: z.string(),
      completed_at: z.string().nullable(),
      status: z.enum(setupStatuses),
      /** The output of setup. After a failure it ends with the traceback. */
      logs: z.string(),
    })
    .nullable(),
  /** How many worker processes serve, and how many there should be. Runtimes of earlier versions leave it out. */
  workers: z.object({ ready: z.int().min(0), of: z.int().min(0) }).optional(),
  /**
   * How many predictions it takes beyond those that run, so that its workers need not wait for the next one. They stay
   * `starting` until they begin. Runtimes of earlier versions leave it out.
   */
  ahead: z.int().min(0).optional(),
  version: z.record(z.string(), z.string()),
})
export type Health = z.infer<typeof health>
