import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'

/** Buckets in seconds, from an immediate message to one that waited for a minute. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]
/** Buckets in seconds, from an immediate delivery to one that waited for days of an outage. */
const WAIT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 21_600, 86_400]
/** The interval of reading Node's event loop utilization. */
const UTILIZATION_MS = 1000

/** Reads a value from another object, at each scrape. */
type Read = () => number

export type { Counter, Histogram }

/** The metrics of one server, in Prometheus' text format. Each server of a process has its own registry. */
export class Metrics {
  readonly #registry = new Registry()

  /** Adds Node's own metrics: CPU, memory, event loop, garbage collection. They cost a timer and an observer per process. */
  collectRuntime(): void {
    collectDefaultMetrics({ register: this.#registry, eventLoopUtilizationTimeout: UTILIZATION_MS })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics as Prometheus reads them. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** @param name ends in `_total` */
  counter<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  /** A counter whose value another object holds. */
  counterOf(name: string, help: string, read: Read): void {
    const collect = function (this: Counter): void {
      this.reset()
      this.inc(read())
    }
    new Counter({ name, help, registers: [this.#registry], collect })
  }

  /** A gauge whose value another object holds. */
  gaugeOf(name: string, help: string, read: Read): void {
    const collect = function (this: Gauge): void {
      this.set(read())
    }
    new Gauge({ name, help, registers: [this.#registry], collect })
  }

  /** A duration in seconds, in buckets from 1 ms to a minute. @param name ends in `_seconds` */
  duration<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers: [this.#registry] })
  }

  /** A waiting time in seconds, in buckets from 5 ms to a day. @param name ends in `_seconds` */
  wait(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: WAIT_BUCKETS, registers: [this.#registry] })
  }
}
