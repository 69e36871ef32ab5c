import type { InstanceSpec } from './engine.ts'

/** What a runtime is told about itself, whatever the engine: a program that is no runtime of ours may pass it over. */
export const instanceEnvironment = ({ name, bodyBytes, fileBytes }: InstanceSpec): Record<string, string> => ({
  ORIGAMI_NAME: name,
  ORIGAMI_BODY_BYTES: String(bodyBytes),
  ORIGAMI_FILE_BYTES: String(fileBytes),
  ORIGAMI_LOG: '/dev/stdout',
})
