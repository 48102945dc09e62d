using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Sketch.Client;

/// <summary>A connection to a node's live values, made when it is first needed and made again when it breaks. Any number of streams may share it.</summary>
public sealed class LiveConnection : IAsyncDisposable
{
    private const string HubPath = "hubs/counters";

    // A frame comes every two seconds, or every interval, whatever happens: without one for longer than this the connection is not trusted.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly HubLink _link;
    private readonly LiveConnectionOptions _options;

    /// <param name="node">Where the node answers, such as http://127.0.0.1:8080.</param>
    /// <param name="options">How the connection is made; null for the usual way.</param>
    public LiveConnection(Uri node, LiveConnectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        _options = options ?? new LiveConnectionOptions();
        Uri hub = new(node.AbsoluteUri.EndsWith('/') ? node : new Uri(node.AbsoluteUri + "/"), HubPath);
        IHubConnectionBuilder builder = new HubConnectionBuilder().WithUrl(hub, http => _options.ConfigureHttp?.Invoke(http));
        if (!_options.UseJson)
            builder.AddMessagePackProtocol();
        _link = new HubLink(builder.Build(), _options);
    }

    /// <summary>
    /// The frames of a selection, until the loop is left or the token cancelled. After a break of the connection the stream goes on with a frame that holds all values, numbered
    /// after the last one.
    /// </summary>
    /// <param name="selection">What to watch.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <exception cref="LiveRefusedException">The node refuses the selection.</exception>
    public async IAsyncEnumerable<LiveFrame> WatchAsync(LiveSelection selection, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selection);
        TimeSpan patience = Patience + (TimeSpan.FromMilliseconds(selection.IntervalMs ?? 0) * 2);
        LiveFrame? last = null;
        for (int failures = 0; ; failures++)
        {
            await _link.PauseAsync(failures, cancellationToken).ConfigureAwait(false);
            using CancellationTokenSource ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            SelectionMessage message = selection.ToMessage(last);
            HubConnection? hub = await _link.ConnectAsync(failures, cancellationToken).ConfigureAwait(false);
            if (hub is null)
                continue;
            IAsyncEnumerator<LiveFrame> frames = hub.StreamAsync<LiveFrame>("Watch", message, ends.Token).GetAsyncEnumerator(ends.Token);
            try
            {
                while (await NextAsync(frames, patience, cancellationToken).ConfigureAwait(false))
                {
                    last = frames.Current;
                    failures = 0;
                    yield return last;
                }
            }
            finally
            {
                // The library tells the node only of a cancelled token, not of a loop that was left.
                await ends.CancelAsync().ConfigureAwait(false);
                try
                {
                    await frames.DisposeAsync().ConfigureAwait(false);
                }
#pragma warning disable CA1031 // The stream is over, as asked or because the connection broke: there is nothing more to say of it.
                catch (Exception)
#pragma warning restore CA1031
                {
                }
            }
        }
    }

    /// <summary>How every alert of a namespace stands, then each that changes, until the loop is left or the token cancelled. After a break all are told again.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <exception cref="LiveRefusedException">The node refuses.</exception>
    public async IAsyncEnumerable<LiveAlert> AlertsAsync(string @namespace, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        for (int failures = 0; ; failures++)
        {
            await _link.PauseAsync(failures, cancellationToken).ConfigureAwait(false);
            HubConnection? hub = await _link.ConnectAsync(failures, cancellationToken).ConfigureAwait(false);
            if (hub is null)
                continue;
            AlertSlots slots = new(@namespace);
            using IDisposable handler = hub.On<LiveAlert>("OnAlert", slots.Put);
            using IDisposable broken = _link.OnBroken(slots.End);
            AlertsReply? reply = await HubLink.TryAsync(() => hub.InvokeAsync<AlertsReply>("SubscribeAlerts", new AlertsMessage(@namespace), cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            if (reply is null)
                continue;
            try
            {
                foreach (LiveAlert alert in reply.Alerts)
                    yield return alert;
                failures = 0;
                while (await slots.NextAsync(cancellationToken).ConfigureAwait(false) is { } alert)
                    yield return alert;
            }
            finally
            {
                await UnsubscribeAsync(hub, reply.Subscription).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private static async Task UnsubscribeAsync(HubConnection hub, int subscription)
    {
        try
        {
            await hub.SendAsync("Unsubscribe", subscription).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or OperationCanceledException)
        {
            // The connection is gone, and the subscription with it.
        }
    }

    // False when the connection broke, and the stream is to go on over a new one.
    private async Task<bool> NextAsync(IAsyncEnumerator<LiveFrame> frames, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            return await frames.MoveNextAsync().AsTask().WaitAsync(patience, _options.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await _link.DropAsync().ConfigureAwait(false);
            return false;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            HubLink.ThrowUnlessBreak(failure);
            return false;
        }
    }
}
