using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Sketch.Client;

/// <summary>
/// Sends increments of one namespace to a node: gathers them into batches, keeps several on their way, and sends again what was not acknowledged, until it is counted exactly
/// once. Any number of threads may count. At most 40 batches are held; then counting waits for the node.
/// </summary>
public sealed class IncrementSender : IAsyncDisposable
{
    // The node takes so many without an answer, and remembers far more.
    private const int MostOnTheirWay = 32;
    private const int MostWaiting = 8;
    private const int MostKnown = 1 << 20;
    private const int MostNameBytes = 256;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Uri _node;
    private readonly string _namespace;
    private readonly IncrementSenderOptions _options;
    private readonly byte[] _producer;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly HashSet<CountedBatch> _unanswered = [];
    private readonly SortedDictionary<long, CountedBatch> _onTheirWay = [];
    private readonly Queue<long> _freeSequences = new();
    private readonly SemaphoreSlim _room = new(MostOnTheirWay);
    private readonly Channel<CountedBatch> _waiting = Channel.CreateBounded<CountedBatch>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _working;
    private CountedBatch _open = new();
    private IncrementRefusedException? _refused;
    private IncrementRefusedException? _ended;
    private long _sequence;
    private bool _isClosed;
    private TimeSpan _pause = ShortestPause;

    /// <param name="node">Where the node answers, such as http://127.0.0.1:8080.</param>
    /// <param name="namespace">Where to count: an existing namespace.</param>
    /// <param name="options">How to send; null for the usual way.</param>
    /// <exception cref="ArgumentException">The node's address is not one of HTTP, or the producer's name not 1 to 64 bytes.</exception>
    public IncrementSender(Uri node, string @namespace, IncrementSenderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentException.ThrowIfNullOrEmpty(@namespace);
        if (!node.IsAbsoluteUri || (node.Scheme != Uri.UriSchemeHttp && node.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException($"The node is {node}; allowed: an address that begins with http:// or https://.", nameof(node));
        _node = node;
        _namespace = @namespace;
        _options = options ?? new IncrementSenderOptions();
        _producer = Encoding.UTF8.GetBytes(_options.Producer);
        if (_producer.Length is 0 or > 64)
            throw new ArgumentException($"The producer's name has {_producer.Length} bytes; allowed: 1 to 64.", nameof(options));
        _working = Task.WhenAll(Task.Run(SendAsync), Task.Run(SealAsync));
    }

    /// <summary>Counts. What is counted when this returns is sent soon, and again until it is acknowledged; <see cref="FlushAsync"/> tells when it is.</summary>
    /// <param name="counter">The counter's name, 1 to 256 bytes in UTF-8.</param>
    /// <param name="delta">By how much; not negative for approximate counters.</param>
    /// <param name="cancellationToken">Ends the wait for the node, not the increment.</param>
    /// <exception cref="ArgumentException">The name's length.</exception>
    /// <exception cref="IncrementRefusedException">The node takes nothing for this namespace.</exception>
    public async ValueTask CountAsync(string counter, long delta = 1, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(counter);
        if (counter.Length > MostNameBytes || Encoding.UTF8.GetByteCount(counter) > MostNameBytes)
            throw new ArgumentException($"The name has {Encoding.UTF8.GetByteCount(counter)} bytes; allowed: 1 to {MostNameBytes}.", nameof(counter));
        CountedBatch? full = null;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_ended is { } ended)
                throw ended;
            _open.Add(counter, delta);
            if (_open.Count >= _options.BatchIncrements)
                full = Seal();
        }

        if (full is not null)
            await QueueAsync(full).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what was counted, and returns once the node has acknowledged all of it.</summary>
    /// <param name="cancellationToken">Ends the wait, not the sending.</param>
    /// <exception cref="IncrementRefusedException">The node refused some of what was counted since the last flush; the rest is counted.</exception>
    /// <exception cref="ObjectDisposedException">The sender was disposed before all of it was acknowledged.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        CountedBatch? open;
        Task[] all;
        lock (_gate)
        {
            open = Seal();
            all = [.. _unanswered.Select(b => b.Answered)];
        }

        if (open is not null)
            await QueueAsync(open).WaitAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(all).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Interlocked.Exchange(ref _refused, null) is { } refused)
            throw refused;
    }

    /// <summary>Sends what was counted, waits for the answers as long as the options say, and closes the connection. Flush before, to know that all of it arrived.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }

        using (CancellationTokenSource drain = new(_options.DrainTime, _options.Time))
            await FlushAsync(drain.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync().ConfigureAwait(false);
        _waiting.Writer.TryComplete();
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        CountedBatch[] left;
        lock (_gate)
            left = [.. _unanswered];
        foreach (CountedBatch batch in left)
            batch.Abandon();
        _room.Dispose();
        _stopping.Dispose();
    }

    private async Task QueueAsync(CountedBatch batch)
    {
        try
        {
            await _waiting.Writer.WriteAsync(batch, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            batch.End();
            throw (Exception?)_ended ?? new ObjectDisposedException(nameof(IncrementSender));
        }
    }

    // With the gate held; null when there is nothing.
    private CountedBatch? Seal()
    {
        if (_open.Count == 0)
            return null;
        CountedBatch closed = _open;
        _open = new CountedBatch();
        if (_ended is null)
            _unanswered.Add(closed);
        else
            closed.End();
        return closed;
    }

    private async Task SealAsync()
    {
        using PeriodicTimer timer = new(_options.SendAfter, _options.Time);
        while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
        {
            CountedBatch? open;
            lock (_gate)
                open = Seal();
            if (open is not null)
                await QueueAsync(open).ConfigureAwait(false);
        }
    }

    private async Task SendAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            using CancellationTokenSource broken = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            using BatchLink link = new(_namespace, _producer, _known);
            Task[] both = [];
            try
            {
                await link.OpenAsync(_node, broken.Token).ConfigureAwait(false);
                both = [link.ReadAsync((batch, status, problem) => AnsweredAsync(link, batch, status, problem, broken.Token), broken.Token), WriteAsync(link, broken.Token)];
                await await Task.WhenAny(both).ConfigureAwait(false);
            }
            catch (IncrementRefusedException refused)
            {
                End(refused);
                return;
            }
#pragma warning disable CA1031 // Whatever it was, also what the application's own Refused throws: another connection, and all that is not acknowledged once more.
            catch (Exception)
#pragma warning restore CA1031
            {
            }

            await broken.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await PauseAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // First what an earlier connection may have brought, or not.
    private async Task WriteAsync(BatchLink link, CancellationToken cancellationToken)
    {
        CountedBatch[] again;
        lock (_gate)
            again = [.. _onTheirWay.Values];
        for (int i = 0; i < again.Length; i++)
        {
            again[i].MayBeCounted = true;
            await link.SendAsync(again[i], isMoreAtOnce: i + 1 < again.Length, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            await _waiting.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
            await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (!_waiting.Reader.TryRead(out CountedBatch? batch))
            {
                _room.Release();
                continue;
            }

            lock (_gate)
            {
                batch.Sequence = _freeSequences.TryDequeue(out long free) ? free : ++_sequence;
                _onTheirWay.Add(batch.Sequence, batch);
            }

            // Only this loop takes batches and room: what is there now is there for its next turn.
            bool isMoreAtOnce = _waiting.Reader.Count > 0 && _room.CurrentCount > 0;
            await link.SendAsync(batch, isMoreAtOnce, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task AnsweredAsync(BatchLink link, CountedBatch batch, int status, JsonElement? problem, CancellationToken cancellationToken)
    {
        switch (status)
        {
            case 200:
                Know(batch);
                Forget(batch);
                break;
            case 400 when !batch.NamesAll && FieldOf(problem).StartsWith("ids[", StringComparison.Ordinal):
                // Its counter was deleted since, or its name was in a batch that was refused.
                batch.NamesAll = true;
                await link.SendAsync(batch, isMoreAtOnce: false, cancellationToken).ConfigureAwait(false);
                break;
            case 429 or 503 or 507:
                await PauseAsync(cancellationToken).ConfigureAwait(false);
                await link.SendAsync(batch, isMoreAtOnce: false, cancellationToken).ConfigureAwait(false);
                break;
            default:
                IncrementRefusedException refused = new(status, batch.Count, $"The node answers {status} to {batch.Count} increments: {Detail(problem)}");
                Interlocked.CompareExchange(ref _refused, refused, null);
                Forget(batch, wasRefused: status is 400 or 404 && !batch.MayBeCounted);
                _options.Refused?.Invoke(refused);
                break;
        }
    }

    private void Know(CountedBatch batch)
    {
        _pause = ShortestPause;
        lock (_known)
        {
            if (_known.Count > MostKnown)
                _known.Clear(); // saying a name again does no harm
            _known.UnionWith(batch.Names);
        }
    }

    // A sequence that counted nothing is used again: the node lets a producer be 256 of them ahead of what it counted, and then takes no more.
    private void Forget(CountedBatch batch, bool wasRefused = false)
    {
        lock (_gate)
        {
            _onTheirWay.Remove(batch.Sequence);
            _unanswered.Remove(batch);
            if (wasRefused)
                _freeSequences.Enqueue(batch.Sequence);
        }

        _room.Release();
        batch.End();
    }

    private void End(IncrementRefusedException refused)
    {
        CountedBatch[] all;
        lock (_gate)
        {
            _ended = refused;
            all = [.. _unanswered];
            _unanswered.Clear();
        }

        Interlocked.CompareExchange(ref _refused, refused, null);
        foreach (CountedBatch batch in all)
            batch.End();
        _waiting.Writer.TryComplete();
        _options.Refused?.Invoke(refused);
    }

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(_pause, _options.Time, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private static string FieldOf(JsonElement? problem) =>
        problem is { ValueKind: JsonValueKind.Object } said && said.TryGetProperty("field", out JsonElement field) ? field.GetString() ?? "" : "";

    private static string Detail(JsonElement? problem) =>
        problem is { ValueKind: JsonValueKind.Object } said && said.TryGetProperty("detail", out JsonElement detail) ? detail.GetString() ?? "" : "without a reason";
}
