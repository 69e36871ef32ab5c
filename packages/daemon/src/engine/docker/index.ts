export class DockerEngine {
  constructor(_: unknown) {
    throw new Error('x')
  }
}
