import type { TargetPolicy } from '../../../src/infra/net/target-policy.ts'

/** The public DNS at its worst: whatever the guard takes for a name leads to a good address. */
export const resolve = async () => ['93.184.216.34']
export const PRODUCTION: TargetPolicy = {
  requireHttps: true,
  allowLoopback: false,
  ownHost: 'desk.example.com',
  resolve,
}

/** What a name server may answer, and whether a webhook may go there. */
export const ANSWERS: [addresses: string[], isFine: boolean][] = [
  [['93.184.216.34'], true],
  [['93.184.216.34', '93.184.216.35', '2606:2800:220:1::1'], true],
  [['2606:4700:4700::1111'], true],
  [['::ffff:93.184.216.34'], true],
  [['127.0.0.1'], false],
  [['93.184.216.34', '127.0.0.1'], false],
  [['93.184.216.34', '::1'], false],
  [['2606:4700:4700::1111', '10.0.0.1'], false],
  [['93.184.216.34', '93.184.216.35', '93.184.216.36', '93.184.216.37', '93.184.216.38', '192.168.0.1'], false],
  [['169.254.169.254'], false],
  [['::ffff:169.254.169.254'], false],
  [['fd00:ec2::254'], false],
  [['fe80::1'], false],
  [['0.0.0.0'], false],
  [['::'], false],
  [['64:ff9b::a00:1'], false],
  [['2002:a00:1::1'], false],
  [['100.100.100.200'], false],
  [['168.63.129.16'], false],
  [['255.255.255.255'], false],
  [['not an address'], false],
]
