/** The address of each page, for the browser's router and for the server. `$` begins a parameter. */
export const pagePaths = {
  gallery: '/',
  signIn: '/-/sign-in',
  newDemo: '/-/new',
  mine: '/-/mine',
  account: '/-/account',
  device: '/-/device',
  docs: '/-/docs',
  owner: '/$account',
  demo: '/$account/$name',
} as const
