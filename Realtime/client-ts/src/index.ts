export { SketchClient } from './client.js';
export type { ClientOptions } from './client.js';
export { Refusal } from './refusal.js';
export type { Rest } from './rest.js';
export { halfWidth, isSnapshot, LiveView, merge } from './view.js';
export type * from './types.js';
