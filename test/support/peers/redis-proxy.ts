import { REDIS_URL } from '../servers.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** The way to Redis. */
export interface RedisProxy extends TcpProxy {
  readonly url: string
}

export async function startRedisProxy(): Promise<RedisProxy> {
  const proxy = await startTcpProxy(REDIS_URL, 6379)
  return { ...proxy, url: `redis://127.0.0.1:${proxy.port}` }
}
