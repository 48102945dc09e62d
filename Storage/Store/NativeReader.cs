using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <summary>
/// Reads an answer in ClickHouse's Native format as it comes: blocks of rows, in each a column after the other. A block's texts lie in <see cref="Text"/> until the next is asked for.
/// </summary>
/// <param name="stream">The answer's body.</param>
/// <param name="columns">The statement's columns, in their order.</param>
internal sealed class NativeReader(Stream stream, params NativeColumn[] columns)
{
    private byte[] _buffer = new byte[1 << 20];
    private int _at;
    private int _filled;

    /// <summary>How many rows the block has.</summary>
    public int Rows { get; private set; }

    /// <summary>The block as it came; what a <see cref="TextColumn"/> says where its texts are in.</summary>
    public ReadOnlyMemory<byte> Text => _buffer;

    /// <summary>Fills the columns with the rows of the next block.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="CheckpointStoreException">The answer breaks off within a block, or its columns are of other types.</exception>
    public async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_at, _filled - _at).CopyTo(_buffer);
        (_at, _filled) = (0, _filled - _at);
        if (_filled == 0 && !await FillAsync(cancellationToken))
        {
            return false;
        }

        int count = await VarUIntAsync(cancellationToken);
        Rows = await VarUIntAsync(cancellationToken);
        if (count != columns.Length)
        {
            throw new CheckpointStoreException($"ClickHouse answers with {count} columns, not {columns.Length}");
        }

        foreach (NativeColumn column in columns)
        {
            await TextAsync(cancellationToken); // its name
            string type = await TextAsync(cancellationToken);
            if (type != column.Type)
            {
                throw new CheckpointStoreException($"ClickHouse answers with a column of the type {type}, not {column.Type}");
            }

            column.Begin(Rows);
            while (!column.IsWhole)
            {
                _at += column.Take(_buffer.AsSpan(0, _filled), _at);
                if (!column.IsWhole)
                {
                    await MoreAsync(cancellationToken);
                }
            }
        }

        return true;
    }

    private async ValueTask<string> TextAsync(CancellationToken cancellationToken)
    {
        int length = await VarUIntAsync(cancellationToken);
        while (_filled - _at < length)
        {
            await MoreAsync(cancellationToken);
        }

        _at += length;
        return System.Text.Encoding.UTF8.GetString(_buffer, _at - length, length);
    }

    private async ValueTask<int> VarUIntAsync(CancellationToken cancellationToken)
    {
        int value;
        int length;
        while ((length = NativeColumn.VarUInt(_buffer.AsSpan(0, _filled), _at, out value)) == 0)
        {
            await MoreAsync(cancellationToken);
        }

        _at += length;
        return value;
    }

    private async ValueTask MoreAsync(CancellationToken cancellationToken)
    {
        if (!await FillAsync(cancellationToken))
        {
            throw new CheckpointStoreException($"ClickHouse's answer breaks off within a block; {_filled - _at} bytes of it are left");
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_filled == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        int read = await stream.ReadAsync(_buffer.AsMemory(_filled), cancellationToken);
        _filled += read;
        return read > 0;
    }
}
