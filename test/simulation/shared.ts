/** What all processes of all schedules share, because making it takes longer than a schedule. */
import { pino } from 'pino';
import { createMetrics } from '../../src/telemetry/metrics.ts';

/** Nobody reads them. */
export const METRICS = createMetrics({ version: 'simulation', node: process.version });
/** Says nothing. */
export const SILENT = pino({ level: 'silent' });
