namespace Sketch.Tests.Simulation.World;

/// <summary>What a disk holds, in its cache and for good. It outlives processes; a loss of power leaves of what was not synced any sectors in any order.</summary>
internal sealed class Device
{
    public const long Plenty = 1L << 50;

    private List<Action<Dictionary<string, Inode>>> _unsyncedNames = [];

    public Dictionary<string, Inode> Names { get; private set; } = [];

    private Dictionary<string, Inode> DurableNames { get; set; } = [];

    /// <summary>Bytes that can still be reserved or written.</summary>
    public long Free { get; set; } = Plenty;

    public void Change(Action<Dictionary<string, Inode>> change)
    {
        change(Names);
        _unsyncedNames.Add(change);
    }

    public void SyncNames()
    {
        _unsyncedNames = [];
        DurableNames = new Dictionary<string, Inode>(Names);
    }

    public void LosePower(Random random, bool flipBits)
    {
        foreach (Action<Dictionary<string, Inode>> change in _unsyncedNames.Take(random.Next(_unsyncedNames.Count + 1)))
        {
            change(DurableNames);
        }

        Names = new Dictionary<string, Inode>(DurableNames);
        _unsyncedNames = [];
        foreach (Inode inode in Names.Values.Distinct())
        {
            inode.LosePower(random, flipBits);
        }
    }
}

/// <summary>A file's bytes: those that readers see, and those on the device.</summary>
internal sealed class Inode
{
    private const int SectorBytes = 512;
    private readonly SortedSet<int> _dirty = [];
    private byte[] _content = [];
    private byte[] _durable = [];

    public int Length { get; private set; }

    public int DurableLength { get; private set; }

    /// <summary>How far the file was synced before the last sync: what lies there is older than a group that is durable itself.</summary>
    public int LongDurable { get; private set; }

    public long Reserved { get; set; }

    public ReadOnlySpan<byte> Content => _content.AsSpan(0, Length);

    public void Write(ReadOnlySpan<byte> bytes, int offset)
    {
        int end = offset + bytes.Length;
        Grow(end);
        bytes.CopyTo(_content.AsSpan(offset));
        Length = Math.Max(Length, end);
        MarkDirty(offset, end);
    }

    public void SetLength(int length)
    {
        Grow(length);

        // Whatever lies beyond, also what a device holds beyond the length that it knows.
        _content.AsSpan(length).Clear();
        MarkDirty(length, _content.Length);
        Length = length;
    }

    public void Sync()
    {
        if (_durable.Length < _content.Length)
        {
            Array.Resize(ref _durable, _content.Length);
        }

        foreach (int sector in _dirty)
        {
            CopySector(sector);
        }

        LongDurable = Length > DurableLength ? DurableLength : Math.Min(LongDurable, Length);
        _dirty.Clear();
        DurableLength = Length;
    }

    /// <summary>As an operating system does: what could not be written is marked clean, and a second sync would report success.</summary>
    public void FailToSync(Random random)
    {
        Survive(random, flipBits: false);
        _dirty.Clear();
    }

    /// <summary>Clean pages are read from the device again.</summary>
    public void DropCache()
    {
        if (_dirty.Count == 0)
        {
            _content = [.. _durable];
            Length = DurableLength;
        }
    }

    public void LosePower(Random random, bool flipBits)
    {
        Survive(random, flipBits);
        _dirty.Clear();
        _content = [.. _durable];
        Length = DurableLength;
    }

    public void Flip(int offset, int bit)
    {
        _content[offset] ^= (byte)(1 << bit);
        _durable[offset] ^= (byte)(1 << bit);
    }

    private void Survive(Random random, bool flipBits)
    {
        int shorter = Math.Min(DurableLength, Length);
        int longer = Math.Max(DurableLength, Length);
        if (_durable.Length < _content.Length)
        {
            Array.Resize(ref _durable, _content.Length);
        }

        double share = random.NextDouble();
        foreach (int sector in _dirty)
        {
            if (random.NextDouble() < share)
            {
                // Bytes that were on their way may arrive wrong; those that lay there before do not change.
                int at = (sector * SectorBytes) + random.Next(SectorBytes);
                bool flip = flipBits && random.Next(4) == 0 && at < _content.Length && (at >= DurableLength || _content[at] != _durable[at]);
                CopySector(sector);
                if (flip)
                {
                    _durable[at] ^= (byte)(1 << random.Next(8));
                }
            }
        }

        DurableLength = random.Next(3) switch { 0 => DurableLength, 1 => Length, _ => random.Next(shorter, longer + 1) };
    }

    private void CopySector(int sector)
    {
        int at = sector * SectorBytes;
        int bytes = Math.Min(SectorBytes, _content.Length - at);
        if (bytes > 0)
        {
            _content.AsSpan(at, bytes).CopyTo(_durable.AsSpan(at));
        }
    }

    private void MarkDirty(int from, int to)
    {
        for (int sector = from / SectorBytes; sector * SectorBytes < to; sector++)
        {
            _dirty.Add(sector);
        }
    }

    private void Grow(int length)
    {
        if (_content.Length < length)
        {
            Array.Resize(ref _content, Math.Max(length, Math.Max(1_024, _content.Length * 2)));
        }
    }
}
