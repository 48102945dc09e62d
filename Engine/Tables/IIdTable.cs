namespace Sketch.Engine.Tables;

/// <summary>What <see cref="IdSearch"/> looks ids up in: lines of <see cref="IdLines"/>, which whoever searches keeps alive until the search has ended.</summary>
internal unsafe interface IIdTable
{
    /// <summary>Asks for the line where an id is looked for first.</summary>
    /// <returns>Its address.</returns>
    ulong* Home(ulong id);

    /// <summary>Asks for the line where an id is that found this one full.</summary>
    /// <returns>Its address.</returns>
    ulong* After(ulong id, ulong* line);

    /// <summary>The id at <paramref name="index"/> is there.</summary>
    /// <param name="index">Which of those that are looked up.</param>
    /// <param name="slot">Its slot's address, as <see cref="IdLines.NumberAt"/> takes it.</param>
    void Found(int index, ulong* slot);

    /// <summary>The id at <paramref name="index"/> is not there.</summary>
    /// <param name="index">Which of those that are looked up.</param>
    /// <param name="id">The id.</param>
    /// <param name="slot">The address of the free slot where it would be.</param>
    void Missing(int index, ulong id, ulong* slot);
}
