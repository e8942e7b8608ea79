import { type SecretKind, tokenPattern } from '../secret-kind.ts';

/** A service's tokens that begin with a text of their own: `[id, title, anchors, token, longest]`. */
type Prefixed = readonly [
  id: string,
  title: string,
  anchors: readonly string[],
  token: string,
  bytesMax: number,
];

const prefixed: readonly Prefixed[] = [
  [
    'github-token',
    'GitHub token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    'gh[pousr]_[A-Za-z0-9]{36,251}',
    255,
  ],
  [
    'github-pat',
    'GitHub fine-grained token',
    ['github_pat_'],
    'github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}',
    93,
  ],
  [
    'gitlab-token',
    'GitLab token',
    ['glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glft-', 'glimt-', 'glagent-', 'gloas-', 'glsoat-'],
    'gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{20,300}(?:\\.[a-z0-9]{2}\\.[a-z0-9]{9})?',
    320,
  ],
  ['bitbucket-token', 'Bitbucket app password', ['ATBB'], 'ATBB[A-Za-z0-9]{32}', 36],
  ['atlassian-token', 'Atlassian API token', ['ATATT3xFf'], 'ATATT3xFf[A-Za-z0-9_=-]{60,260}', 280],
  [
    'slack-token',
    'Slack token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xapp-'],
    slackToken(),
    260,
  ],
  ['stripe-key', 'Stripe live key', ['sk_live_', 'rk_live_'], '[sr]k_live_[A-Za-z0-9]{16,247}', 255],
  ['stripe-webhook-secret', 'Stripe webhook secret', ['whsec_'], 'whsec_[A-Za-z0-9+/]{32,64}=?', 72],
  [
    'square-token',
    'Square token',
    ['sq0atp-', 'sq0csp-'],
    'sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})',
    50,
  ],
  ['npm-token', 'npm token', ['npm_'], 'npm_[A-Za-z0-9]{36}', 40],
  [
    'pypi-token',
    'PyPI token',
    ['pypi-AgE'],
    'pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,900}',
    960,
  ],
  ['rubygems-key', 'RubyGems key', ['rubygems_'], 'rubygems_[0-9a-f]{48}', 57],
  ['nuget-key', 'NuGet key', ['oy2'], 'oy2[a-z0-9]{43}', 46],
  ['clojars-token', 'Clojars token', ['CLOJARS_'], 'CLOJARS_[0-9a-f]{60}', 68],
  [
    'docker-token',
    'Docker Hub token',
    ['dckr_pat_', 'dckr_oat_'],
    'dckr_(?:pat_[A-Za-z0-9_-]{27}|oat_[A-Za-z0-9_-]{32})',
    45,
  ],
  ['artifactory-key', 'JFrog Artifactory key', ['AKCp'], 'AKCp[A-Za-z0-9]{69}', 73],
  ['artifactory-token', 'JFrog Artifactory reference token', ['cmVmdGtuO'], 'cmVmdGtuO[A-Za-z0-9]{55}', 64],
  ['sendgrid-key', 'SendGrid key', ['SG.'], 'SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}', 69],
  ['mailgun-key', 'Mailgun key', ['key-'], 'key-[0-9a-f]{32}', 36],
  ['mailchimp-key', 'Mailchimp key', ['-us1', '-us2'], '[0-9a-f]{32}-us[12]?[0-9]', 37],
  ['brevo-key', 'Brevo (Sendinblue) key', ['xkeysib-'], 'xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}', 89],
  ['telegram-bot-token', 'Telegram bot token', [':AA'], '[0-9]{8,10}:AA[A-Za-z0-9_-]{33}', 46],
  [
    'shopify-token',
    'Shopify token',
    ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    'shp(?:at|ca|pa|ss)_[0-9a-f]{32}',
    38,
  ],
  ['huggingface-token', 'Hugging Face token', ['hf_'], 'hf_[A-Za-z]{34}', 37],
  ['openai-key', 'OpenAI key', ['T3BlbkFJ'], 'sk-[A-Za-z0-9_-]{20,110}T3BlbkFJ[A-Za-z0-9_-]{20,110}', 220],
  [
    'anthropic-key',
    'Anthropic key',
    ['sk-ant-'],
    'sk-ant-(?:api|admin|oat)[0-9]{2}-[A-Za-z0-9_-]{80,120}',
    140,
  ],
  ['groq-key', 'Groq key', ['gsk_'], 'gsk_[A-Za-z0-9]{52}', 56],
  ['replicate-token', 'Replicate token', ['r8_'], 'r8_[A-Za-z0-9]{37}', 40],
  ['perplexity-key', 'Perplexity key', ['pplx-'], 'pplx-[A-Za-z0-9]{48}', 53],
  [
    'grafana-token',
    'Grafana token',
    ['glsa_', 'glc_eyJ'],
    'glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_eyJ[A-Za-z0-9+/]{40,400}={0,2}',
    420,
  ],
  ['newrelic-key', 'New Relic key', ['NRAK-'], 'NRAK-[A-Z0-9]{27}', 32],
  [
    'sentry-token',
    'Sentry token',
    ['sntrys_', 'sntryu_'],
    'sntry(?:u_[0-9a-f]{64}|s_eyJ[A-Za-z0-9+/=]{80,400}_[A-Za-z0-9+/]{43})',
    480,
  ],
  ['dynatrace-token', 'Dynatrace token', ['dt0c01.'], 'dt0c01\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}', 96],
  ['pulumi-token', 'Pulumi token', ['pul-'], 'pul-[0-9a-f]{40}', 44],
  [
    'doppler-token',
    'Doppler token',
    ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.'],
    'dp\\.(?:pt|st|ct|sa)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44}',
    90,
  ],
  [
    'planetscale-token',
    'PlanetScale token or password',
    ['pscale_'],
    'pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}',
    78,
  ],
  ['postman-key', 'Postman key', ['PMAK-'], 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}', 64],
  ['linear-key', 'Linear key', ['lin_api_'], 'lin_api_[A-Za-z0-9]{40}', 48],
  [
    'tailscale-key',
    'Tailscale key',
    ['tskey-'],
    'tskey-[a-z]{2,10}-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,48}',
    92,
  ],
  ['netlify-token', 'Netlify token', ['nfp_'], 'nfp_[A-Za-z0-9]{36}', 40],
  ['supabase-token', 'Supabase token', ['sbp_'], 'sbp_[0-9a-f]{40}', 44],
  [
    'onepassword-token',
    '1Password service account token',
    ['ops_eyJ'],
    'ops_eyJ[A-Za-z0-9+/]{250,1200}={0,2}',
    1_220,
  ],
];

export const services: readonly SecretKind[] = [
  ...prefixed.map(([id, title, anchors, token, bytesMax]) => ({
    id,
    title,
    anchors,
    pattern: tokenPattern(token),
    before: bytesMax,
    after: bytesMax + 1,
    entropyMin: 3,
  })),
  {
    id: 'slack-webhook',
    title: 'Slack webhook address',
    anchors: ['hooks.slack.com/'],
    pattern:
      /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<value>[A-Z0-9]{8,12}\/[A-Z0-9]{8,14}\/[A-Za-z0-9]{20,48})/g,
    before: 0,
    after: 120,
    entropyMin: 3,
  },
  {
    id: 'discord-webhook',
    title: 'Discord webhook address',
    anchors: ['/api/webhooks/'],
    pattern: /discord(?:app)?\.com\/api\/webhooks\/(?<value>[0-9]{17,20}\/[A-Za-z0-9_-]{60,80})/g,
    before: 14,
    after: 120,
    entropyMin: 3,
  },
  {
    id: 'twilio-key',
    title: 'Twilio key or auth token',
    anchors: ['twilio'],
    pattern:
      /twilio[A-Za-z0-9_.-]{0,30}(?:token|key|secret|sid)["']?[ \t]{0,4}[=:,][ \t]{0,4}["']?(?<value>(?:SK)?[0-9a-f]{32})(?![A-Za-z0-9])/gi,
    before: 0,
    after: 100,
    entropyMin: 3,
  },
  {
    id: 'datadog-key',
    title: 'Datadog key',
    anchors: ['dd_api_key', 'dd_app_key', 'datadog_api_key', 'datadog_app_key'],
    pattern:
      /(?:dd|datadog)_a(?:pi|pp)_key["']?[ \t]{0,4}[=:,][ \t]{0,4}["']?(?<value>[0-9a-f]{40}|[0-9a-f]{32})(?![A-Za-z0-9])/gi,
    before: 0,
    after: 70,
    entropyMin: 3,
  },
  {
    id: 'jwt',
    title: 'JSON Web Token, signed',
    anchors: ['eyJ'],
    pattern:
      /(?<![A-Za-z0-9_./+-])(?<value>eyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1000})(?![A-Za-z0-9_./+-])/g,
    before: 1,
    after: 6_010,
    read: readJwt,
  },
];

function slackToken(): string {
  return '(?:xox[abprs]-[A-Za-z0-9-]{20,240}|xoxe(?:\\.xox[bp])?-[0-9]-[A-Za-z0-9-]{20,240}|xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,16}-[0-9a-f]{40,80})';
}

/** RFC 7519: both parts are JSON objects, and the first names how it is signed. Nobody's sample is one. */
function readJwt({ groups }: RegExpExecArray): string | undefined {
  const value = groups?.value ?? '';
  const [header = '', claims = ''] = value.split('.');
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const text = Buffer.from(claims, 'base64url').toString();
    JSON.parse(text);
    if (typeof alg !== 'string' || alg === 'none' || /John Doe|example\.(?:com|org)/.test(text))
      return undefined;
    return value;
  } catch {
    return undefined;
  }
}
