using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Sketch.Client;

/// <summary>One SignalR connection that several streams share: started by whoever needs it first, and again by whoever notices that it broke.</summary>
internal sealed class HubLink : IAsyncDisposable
{
    // What the node says when it is only opening, or can't read for a moment.
    private const string AgainLater = "subscribe again in a second";

    private static readonly int[] PausesMs = [0, 100, 250, 500, 1_000, 2_000, 5_000];

    private readonly HubConnection _hub;
    private readonly LiveConnectionOptions _options;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly Lock _lock = new();
    private readonly List<Action> _broken = [];
    private bool _disposed;

    public HubLink(HubConnection hub, LiveConnectionOptions options)
    {
        (_hub, _options) = (hub, options);
        hub.Closed += _ =>
        {
            Action[] listeners;
            lock (_lock)
                listeners = [.. _broken];
            Array.ForEach(listeners, listener => listener());
            return Task.CompletedTask;
        };
    }

    /// <summary>Called when the connection breaks.</summary>
    public IDisposable OnBroken(Action action)
    {
        lock (_lock)
            _broken.Add(action);
        return new Registration(() =>
        {
            lock (_lock)
                _broken.Remove(action);
        });
    }

    /// <summary>The pause before another attempt: longer after each failure, and different for each of many clients that lost the same node.</summary>
    public Task PauseAsync(int failures, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, typeof(LiveConnection));
        int longest = PausesMs[Math.Min(failures, PausesMs.Length - 1)];
        return longest == 0
            ? Task.CompletedTask
            : Task.Delay(TimeSpan.FromMilliseconds(longest * (0.5 + (_options.Random.NextDouble() / 2))), _options.Time, cancellationToken);
    }

    /// <summary>The connection; null when it could not be made now.</summary>
    /// <exception cref="LiveRefusedException">It never was there, and the caller wants to know at once.</exception>
    public async Task<HubConnection?> ConnectAsync(int failures, CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_hub.State == HubConnectionState.Disconnected)
                await _hub.StartAsync(cancellationToken).ConfigureAwait(false);
            return _hub;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            ThrowUnlessBreak(failure);
            return failures < _options.MaxFailures ? null : throw new LiveRefusedException($"The node can't be reached: {failure.Message}", failure);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Gives up a connection over which nothing comes.</summary>
    public async Task DropAsync()
    {
        await _starting.WaitAsync().ConfigureAwait(false);
        try
        {
            await _hub.StopAsync().ConfigureAwait(false);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>What a call answers; the default when the connection broke meanwhile.</summary>
    /// <exception cref="LiveRefusedException">The node refused.</exception>
    public static async Task<T?> TryAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            ThrowUnlessBreak(failure);
            return default;
        }
    }

    /// <summary>Returns when another attempt may mend it.</summary>
    /// <exception cref="LiveRefusedException">It was refused: another attempt is of no use.</exception>
    public static void ThrowUnlessBreak(Exception failure)
    {
        if (failure is HubException refused && !refused.Message.Contains(AgainLater, StringComparison.Ordinal))
            throw LiveRefusedException.From(refused);
        if (failure is ObjectDisposedException)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await _hub.DisposeAsync().ConfigureAwait(false);
        _starting.Dispose();
    }

    private sealed class Registration(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
