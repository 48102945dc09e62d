using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sketch.Realtime.Alerts;

/// <summary>
/// Delivers changes of alerts, signed. The deliveries of a rule go out in order, one at a time, each tried again with growing pauses; what waits is bounded, and a
/// target that does not answer holds up no other rule.
/// </summary>
internal sealed partial class WebhookSender(IOptions<RealtimeOptions> options, TimeProvider time, ILogger<WebhookSender> log) : IDisposable
{
    public const int MaxWaitingOfRule = 16;
    public const int MaxAttempts = 10;
    public const string DeliveryHeader = "Sketch-Delivery";
    public const string TimestampHeader = "Sketch-Timestamp";
    public const string SignatureHeader = "Sketch-Signature";

    private const int MaxAtOnce = 16;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Namespace, string Id), Outbox> _outboxes = [];
    private readonly SemaphoreSlim _sending = new(MaxAtOnce);
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new(WebhookTargets.Handler(options.Value)) { Timeout = Timeout, MaxResponseContentBufferSize = 64 << 10 };

    /// <summary>Delivers an alert soon; the oldest that waits gives way when there are too many.</summary>
    public void Send(AlertRule rule, Alert alert)
    {
        lock (_lock)
        {
            if (!_outboxes.TryGetValue((rule.Namespace, rule.Id), out var outbox))
                _outboxes.Add((rule.Namespace, rule.Id), outbox = new Outbox());
            if (outbox.Waiting.Count == MaxWaitingOfRule)
            {
                outbox.Waiting.Dequeue();
                outbox.Failed++;
                outbox.LastError = $"{MaxWaitingOfRule} deliveries waited; the oldest was dropped";
            }

            outbox.Waiting.Enqueue(new Delivery(Guid.NewGuid(), rule.Webhook!, alert));
            if (outbox.Worker.IsCompleted)
                outbox.Worker = Task.Run(() => DeliverAsync(outbox, _stopping.Token));
        }
    }

    /// <summary>The rule is gone: what waits for it is not delivered.</summary>
    public void Forget((string Namespace, string Id) rule)
    {
        lock (_lock)
        {
            if (_outboxes.Remove(rule, out var outbox))
                outbox.Waiting.Clear();
        }
    }

    public AlertWebhook StateOf(AlertRule rule)
    {
        lock (_lock)
        {
            var outbox = _outboxes.GetValueOrDefault((rule.Namespace, rule.Id));
            return new AlertWebhook
            {
                Url = rule.Webhook!.Url.AbsoluteUri,
                Delivered = outbox?.Delivered ?? 0,
                Failed = outbox?.Failed ?? 0,
                Pending = outbox?.Waiting.Count ?? 0,
                LastError = outbox?.LastError,
            };
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _http.Dispose();
        _stopping.Dispose();
    }

    /// <summary>v1= and the HMAC-SHA256 of "timestamp.body" in hexadecimal.</summary>
    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes(timestamp), (byte)'.', .. body];
        return "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));
    }

    private async Task DeliverAsync(Outbox outbox, CancellationToken stopping)
    {
        try
        {
            while (Peek(outbox) is { } delivery)
            {
                string? error = await TryAsync(delivery, stopping).ConfigureAwait(false);
                TimeSpan pause;
                lock (_lock)
                {
                    outbox.LastError = error;
                    bool done = error is null || ++delivery.Attempts == MaxAttempts;
                    if (done && outbox.Waiting.TryPeek(out var first) && ReferenceEquals(first, delivery))
                        outbox.Waiting.Dequeue();
                    outbox.Delivered += error is null ? 1 : 0;
                    outbox.Failed += done && error is not null ? 1 : 0;
                    pause = done ? TimeSpan.Zero : Pause(delivery.Attempts);
                }

                if (error is not null)
                    LogNotDelivered(delivery.Alert.Namespace, delivery.Alert.Id, delivery.Attempts, MaxAttempts, error);
                if (pause > TimeSpan.Zero)
                    await Task.Delay(pause, time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops: what waits is not kept as told, so that it is told again after the next start.
        }
    }

    private Delivery? Peek(Outbox outbox)
    {
        lock (_lock)
        {
            // Under the lock, so that Send sees either a worker that will look again or none.
            if (outbox.Waiting.TryPeek(out var delivery))
                return delivery;
            outbox.Worker = Task.CompletedTask;
            return null;
        }
    }

    // The reason when it was not taken.
    private async Task<string?> TryAsync(Delivery delivery, CancellationToken stopping)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new WebhookBody(delivery.Id, delivery.Alert), LiveJson.Readable.WebhookBody);
        string timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using HttpRequestMessage request = new(HttpMethod.Post, delivery.Target.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(DeliveryHeader, delivery.Id.ToString());
        request.Headers.Add(TimestampHeader, timestamp);
        request.Headers.Add(SignatureHeader, Sign(delivery.Target.Secret, timestamp, body));
        await _sending.WaitAsync(stopping).ConfigureAwait(false);
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stopping).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? null : $"the target answered {(int)answer.StatusCode}";
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !stopping.IsCancellationRequested)
        {
            return failure is TaskCanceledException ? $"the target did not answer within {Timeout.TotalSeconds} s" : failure.Message;
        }
        finally
        {
            _sending.Release();
        }
    }

    private static TimeSpan Pause(int attempts)
    {
        var pause = FirstPause * Math.Pow(2, attempts - 1);
        return pause < LongestPause ? pause : LongestPause;
    }

    [LoggerMessage(1, LogLevel.Warning, "Alert {Namespace}/{Id} was not delivered, attempt {Attempt} of {Attempts}: {Reason}")]
    private partial void LogNotDelivered(string @namespace, string id, int attempt, int attempts, string reason);

    private sealed class Outbox
    {
        public Queue<Delivery> Waiting { get; } = new();

        public Task Worker { get; set; } = Task.CompletedTask;

        public long Delivered { get; set; }

        public long Failed { get; set; }

        public string? LastError { get; set; }
    }

    private sealed class Delivery(Guid id, AlertTarget target, Alert alert)
    {
        public Guid Id => id;

        public AlertTarget Target => target;

        public Alert Alert => alert;

        public int Attempts { get; set; }
    }
}

/// <summary>What a webhook is sent.</summary>
/// <param name="Delivery">The same at each attempt: a receiver tells a repetition by it.</param>
/// <param name="Alert">The alert as it stood when it changed.</param>
internal sealed record WebhookBody(Guid Delivery, Alert Alert);
