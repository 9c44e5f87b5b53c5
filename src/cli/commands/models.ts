import { Command } from 'clipanion';
import type { ModelsResult, ProviderSetting, ProviderStatus } from '../../handlers/models.js';
import { HxCommand } from '../base.js';
import type { Paint } from '../render/style.js';

/** Models that are shown of a long list; --json has them all. */
const MODELS_SHOWN = 20;

export class ModelsCommand extends HxCommand {
  static override paths = [['models']];
  static override usage = Command.Usage({
    category: 'Measure',
    description: 'Which models can be asked, and which keys are set',
    details:
      'Lists the providers with the settings that each needs, the models of an OpenAI-compatible server when one ' +
      'is set and answers, and the profiles of the simulator. Only that server is called.',
    examples: [
      ['What can be asked from here', 'hx models'],
      ['The models of a local server', 'HX_COMPATIBLE_BASE_URL=http://127.0.0.1:11434/v1 hx models'],
      ['For a program', 'hx models --json'],
    ],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('models', {});
    if (this.json) {
      this.printJson(result);
      return;
    }
    const { renderTable } = await import('../render/table.js');
    const { escapeControls } = await import('../render/width.js');
    const blocks = result.providers.map((provider) => renderProvider(provider, this.paint, escapeControls));
    const profiles = renderTable({ ...profileTable(result), width: this.width, paint: this.paint });
    this.print(`${blocks.join('\n')}\n${profiles}\n${renderNaming(result)}`);
  }
}

type Escape = (text: string) => string;

function renderProvider(provider: ProviderStatus, paint: Paint, escape: Escape): string {
  const state = provider.is_ready ? paint('green', 'ready') : paint('yellow', 'not set up');
  const lines = [`${paint('bold', provider.provider)}  ${state}  ${provider.meaning}`];
  for (const setting of provider.settings) lines.push(`  ${renderSetting(setting, escape)}`);
  if (provider.problem !== null)
    lines.push(`  ${paint('yellow', 'no list of models:')} ${escape(provider.problem)}`);
  const models = provider.models ?? [];
  for (const id of models.slice(0, MODELS_SHOWN)) lines.push(`  ${provider.provider}/${escape(id)}`);
  if (models.length > MODELS_SHOWN) {
    lines.push(`  and ${models.length - MODELS_SHOWN} more: hx models --json`);
  }
  if (provider.models?.length === 0) lines.push('  the server lists no models');
  return `${lines.join('\n')}\n`;
}

function renderSetting({ name, value, source, is_required }: ProviderSetting, escape: Escape): string {
  if (value === null) return `${name}: not set${is_required ? '' : ' (optional)'}`;
  return `${name}: ${escape(value)} (${source})`;
}

function profileTable({ simulator_profiles }: ModelsResult) {
  const percent = (share: number) => (share === 0 ? '' : `${Math.round(share * 100)} %`);
  return {
    columns: [
      { header: 'profile' },
      ...['tau', 'sigma', 'refused', 'malformed', 'wrapped', 'failed', 'ms'].map((header) => ({
        header,
        align: 'right' as const,
      })),
      { header: 'what it does' },
    ],
    rows: simulator_profiles.map((profile) => [
      profile.model,
      String(profile.tau_logit),
      String(profile.sigma_logit),
      percent(profile.refusal_rate),
      percent(profile.malformed_rate),
      percent(profile.wrapped_rate),
      percent(profile.failure_rate),
      profile.latency_ms === 0 ? '' : String(profile.latency_ms),
      profile.meaning,
    ]),
  };
}

function renderNaming({ default_model, providers }: ModelsResult): string {
  const names = providers.map(({ example }) => example).join(', ');
  const used =
    default_model === null ? 'HX_MODEL is not set, so name one with --model' : `HX_MODEL is ${default_model}`;
  return `Names: ${names}; or a bare OpenAI name such as gpt-4.1-mini. ${used}.`;
}
