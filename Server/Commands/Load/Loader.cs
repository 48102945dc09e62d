using System.Threading.Channels;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Load;

/// <summary>
/// Counts what files hold: one reader cuts names into batches, several connections send them. Batch n goes to connection n mod
/// connections, so that the same command line makes the same batches again and a repeat with the same producer counts nothing twice.
/// </summary>
internal sealed class Loader(LoadOptions options, Terminal terminal, TimeProvider time) : IDisposable
{
    private const int QueuedBatches = 2;
    private readonly NodeClient _node = new(options.Url, options.Connections + 1);

    /// <summary>How far it is.</summary>
    public LoadProgress Progress { get; } = new();

    /// <summary>Names that can't be counters.</summary>
    public long Skipped { get; private set; }

    /// <summary>Makes the namespace when it is missing.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (await _node.HasNamespaceAsync(options.Namespace, cancellationToken).ConfigureAwait(false))
            return;
        await _node.SendAsync(
            HttpMethod.Put,
            NodeClient.Namespace(options.Namespace),
            new NamespaceBody(options.Tier, null, null, null),
            BodiesJson.Default.NamespaceBody,
            AnswersJson.Readable.NamespaceAnswer,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Counts everything; returns when all of it is acknowledged.</summary>
    /// <exception cref="CommandException">The node refused, or can't be reached any more.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<LoadBatch>[] queues = new Channel<LoadBatch>[options.Connections];
        List<Task> work = [];
        for (int i = 0; i < queues.Length; i++)
        {
            queues[i] = Channel.CreateBounded<LoadBatch>(QueuedBatches);
            BatchSender sender = new(_node, options, i, Progress, time);
            ChannelReader<LoadBatch> batches = queues[i].Reader;
            work.Add(Task.Run(() => SendAllAsync(sender, batches, stop.Token), CancellationToken.None));
        }

        work.Add(Task.Run(() => ReadAllAsync(queues, stop.Token), CancellationToken.None));
        while (work.Count > 0)
        {
            Task ended = await Task.WhenAny(work).ConfigureAwait(false);
            work.Remove(ended);
            if (ended.IsCompletedSuccessfully)
                continue;
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ended.ConfigureAwait(false);
        }
    }

    /// <summary>The heaviest counters now.</summary>
    public async Task<ValuesAnswer> TopAsync(int k, CancellationToken cancellationToken) =>
        await _node.GetAsync($"{NodeClient.Namespace(options.Namespace)}/top?k={k}", AnswersJson.Readable.ValuesAnswer, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public void Dispose() => _node.Dispose();

    private static async Task SendAllAsync(BatchSender sender, ChannelReader<LoadBatch> batches, CancellationToken cancellationToken)
    {
        await foreach (LoadBatch batch in batches.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            using (batch)
                await sender.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReadAllAsync(Channel<LoadBatch>[] queues, CancellationToken cancellationToken)
    {
        long number = 0;
        LoadBatch batch = Next();
        foreach (string file in options.Files)
        {
            await using Stream stream = Open(file);
            ILoadSource source = Source(stream, file);
            long covered = 0;
            while (await source.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (source.Fill(batch, options.BatchIncrements))
                {
                    await queues[number++ % queues.Length].Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
                    batch = Next();
                }

                batch.InputBytes += source.BytesRead - covered;
                covered = source.BytesRead;
            }

            Skipped += source.Skipped;
        }

        if (batch.Count > 0)
            await queues[number % queues.Length].Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
        foreach (Channel<LoadBatch> queue in queues)
            queue.Writer.Complete();

        LoadBatch Next() => new() { Sequence = (number / queues.Length) + 1 };
    }

    private ILoadSource Source(Stream stream, string file) => (options.Format ?? LoadFormats.ByEnding(file)) switch
    {
        LoadFormat.Csv => new CsvRows(stream, file),
        LoadFormat.NdJson => new NdJsonRows(stream, file),
        _ => new TokenSource(stream, options.Split),
    };

    private Stream Open(string file)
    {
        try
        {
            return file == "-"
                ? terminal.Input()
                : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"FILE is {file}, which can't be read: {failure.Message}");
        }
    }
}
