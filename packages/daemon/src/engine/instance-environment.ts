import type { InstanceSpec } from './engine.ts'

/**
 * The environment variables by which a runtime learns about itself, the same for every engine. A program that is no
 * runtime of ours may ignore them.
 */
export const instanceEnvironment = ({ name, bodyBytes, fileBytes }: InstanceSpec): Record<string, string> => ({
  ORIGAMI_NAME: name,
  ORIGAMI_BODY_BYTES: String(bodyBytes),
  ORIGAMI_FILE_BYTES: String(fileBytes),
  ORIGAMI_LOG: '/dev/stdout',
})
