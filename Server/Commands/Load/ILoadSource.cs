namespace Sketch.Server.Commands.Load;

/// <summary>A file on its way into batches; asked once a batch, never once an increment.</summary>
internal interface ILoadSource
{
    /// <summary>Bytes taken from the file.</summary>
    long BytesRead { get; }

    /// <summary>Names that can't be counters and were left out.</summary>
    long Skipped { get; }

    /// <summary>Reads on.</summary>
    /// <returns>False when nothing is left.</returns>
    ValueTask<bool> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Adds what was read to a batch.</summary>
    /// <returns>True when the batch is full; false when what was read is used up.</returns>
    bool Fill(LoadBatch batch, int maxIncrements);
}
