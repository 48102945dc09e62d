import { HubConnectionState } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import { refusalIn } from './refusal.js';
import type { Alert } from './types.js';

interface Watch {
  readonly namespace: string;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onRefused: ((message: string) => void) | undefined;
  readonly rules: Map<string, Alert>;
  subscription: number | null;
  /** What arrived while the answer to a subscription is on its way: it is newer than what the answer says. */
  meanwhile: Alert[] | null;
}

/** Rules and their states, kept up to date over the hub. */
export class AlertBook {
  readonly #connection: HubConnection;
  readonly #watches = new Set<Watch>();

  constructor(connection: HubConnection) {
    this.#connection = connection;
    connection.on('OnAlert', (alert: Alert) => {
      for (const watch of this.#watches) {
        if (watch.namespace !== alert.namespace) continue;
        watch.meanwhile?.push(alert);
        put(watch, alert);
        tell(watch);
      }
    });
  }

  watch(namespace: string, onAlerts: (alerts: readonly Alert[]) => void, onRefused?: (message: string) => void): () => void {
    const watch: Watch = { namespace, onAlerts, onRefused, rules: new Map(), subscription: null, meanwhile: null };
    this.#watches.add(watch);
    void this.#open(watch);
    return () => {
      this.#watches.delete(watch);
      if (watch.subscription !== null && this.#connection.state === HubConnectionState.Connected) {
        this.#connection.invoke('Unsubscribe', watch.subscription).catch(() => undefined);
      }
    };
  }

  /** After a reconnect: the states of now, whatever was missed. */
  resume(): void {
    for (const watch of this.#watches) void this.#open(watch);
  }

  async #open(watch: Watch): Promise<void> {
    if (this.#connection.state !== HubConnectionState.Connected) return;
    const meanwhile: Alert[] = (watch.meanwhile = []);
    try {
      const answer = await this.#connection.invoke<{ subscription: number; alerts: readonly Alert[] }>('SubscribeAlerts', { namespace: watch.namespace });
      if (!this.#watches.has(watch)) {
        this.#connection.invoke('Unsubscribe', answer.subscription).catch(() => undefined);
        return;
      }
      watch.subscription = answer.subscription;
      watch.rules.clear();
      for (const alert of [...answer.alerts, ...meanwhile]) put(watch, alert);
      tell(watch);
    } catch (failure) {
      const refusal = refusalIn(failure);
      if (refusal !== null && this.#watches.has(watch)) watch.onRefused?.(refusal);
    } finally {
      if (watch.meanwhile === meanwhile) watch.meanwhile = null;
    }
  }
}

function put(watch: Watch, alert: Alert): void {
  if (alert.state === 'deleted') watch.rules.delete(alert.id);
  else watch.rules.set(alert.id, alert);
}

function tell(watch: Watch): void {
  watch.onAlerts([...watch.rules.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
}
