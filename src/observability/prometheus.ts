import type { Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';
import { exposition, type GaugeSources } from './prometheus/exposition.ts';
import { MetricsRecorder } from './prometheus/recorder.ts';

export type { GaugeSources } from './prometheus/exposition.ts';

/** What Prometheus reads. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export interface MetricsSource extends Metrics {
  /** The present figures, in Prometheus's text format. Scrapes that come together share one reading. */
  expose(surroundings: GaugeSources): Promise<Exposition>;
}

/** The metrics of one instance. */
export function createMetrics(): MetricsSource {
  return new ExposedRecorder();
}

class ExposedRecorder extends MetricsRecorder implements MetricsSource {
  #registry: Promise<Registry> | undefined;
  #underWay: Promise<Exposition> | undefined;

  expose(surroundings: GaugeSources): Promise<Exposition> {
    this.#underWay ??= this.#read(surroundings).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #read(surroundings: GaugeSources): Promise<Exposition> {
    this.#registry ??= exposition(this, surroundings);
    const registry = await this.#registry;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}
