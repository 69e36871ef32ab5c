import { describe, expect, test } from 'vitest'
import { postureFrom } from '../../src/engine/docker/posture.ts'

const good = {
  ServerVersion: '28.0.0',
  KernelVersion: '6.1.0',
  RuncCommit: { ID: 'v1.2.0' },
  SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns', 'name=userns'],
  Runtimes: { runc: {}, runsc: {} },
  DefaultRuntime: 'runc',
  CgroupVersion: '2',
}

describe('what a host says of how far it keeps demos apart', () => {
  test('where everything is on there is no weakness', () => {
    expect(postureFrom(good, undefined, 'runsc')).toEqual({
      versions: { docker: '28.0.0', kernel: '6.1.0', runc: 'v1.2.0' },
      firewall: undefined,
      runtime: { name: 'runsc', isKnown: true },
      isRootless: false,
      remapsUsers: true,
      seccomp: true,
      mandatoryAccess: 'apparmor',
      cgroup: '2',
      weaknesses: [],
    })
  })

  test.each([
    { info: good, firewall: 'rules need root', chosen: undefined, says: 'rules need root' },
    { info: good, firewall: undefined, chosen: 'kata', says: 'does not know the runtime kata' },
    {
      info: { ...good, SecurityOptions: ['name=seccomp,profile=unconfined'] },
      chosen: undefined,
      says: 'no seccomp filter',
    },
    { info: { ...good, SecurityOptions: ['name=seccomp'] }, chosen: undefined, says: 'Neither AppArmor nor SELinux' },
    { info: { ...good, SecurityOptions: [] }, chosen: undefined, says: 'does not remap users' },
    { info: { ...good, SecurityOptions: ['name=rootless'] }, chosen: undefined, says: 'in a network of its own' },
    { info: {}, chosen: undefined, says: 'does not know the runtime runc' },
  ])('what is off is said: $says', ({ info, firewall, chosen, says }) => {
    expect(postureFrom(info, firewall, chosen).weaknesses.join('\n')).toContain(says)
  })
})
