/** How busy the one thread is that answers everybody: the first figure to look at when latency rises and stores are calm. */
import { performance } from 'node:perf_hooks';
import { type Registry, Counter as RegistryCounter } from 'prom-client';

const MS_PER_SECOND = 1000;

/**
 * Shows the time the event loop was busy; its rate is the utilisation (1 = no idle moment). A counter, because a gauge
 * "since the last scrape" is wrong as soon as two scrape. The lag is part of prom-client's defaults.
 */
export function registerEventLoop(registry: Registry): void {
  new RegistryCounter({
    name: 'promo_event_loop_active_seconds_total',
    help: 'Time the event loop spent busy; its rate is the utilisation.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(performance.eventLoopUtilization().active / MS_PER_SECOND);
    },
  });
}
